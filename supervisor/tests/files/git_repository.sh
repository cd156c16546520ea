# git on a repository that was there before. Arguments: a seed, and `prepare` to only make it, or `use`.
export HOME=$PWD GIT_CONFIG_NOSYSTEM=1 GIT_CONFIG_GLOBAL=none GIT_AUTHOR_NAME=a GIT_AUTHOR_EMAIL=a@b GIT_COMMITTER_NAME=c
export GIT_COMMITTER_EMAIL=c@d GIT_AUTHOR_DATE='2020-01-02 03:04:05 +0000' GIT_COMMITTER_DATE="2020-01-02 03:04:0$1 +0000"
export GIT_EDITOR=true
if [ "$2" = prepare ]; then
    git init -q -b main . && for i in $(seq 40); do mkdir -p d$((i % 4)); seq $i $((i * $1 * 9)) > d$((i % 4))/f$i; done
    git add . && git commit -q -m one
    git checkout -q -b side && seq 50 > d1/f1 && git mv d2/f2 d2/moved && git commit -q -a -m two
    git checkout -q main && seq 60 > d3/f3 && git commit -q -a -m three && git repack -q -a -d
    git tag early HEAD~1 && echo more >> d0/f4
    exit
fi
git status --short && git diff --stat && git log --format='%h %s' --all
git stash -q && git merge -q -m merged side && git stash pop -q && git status --short
git commit -q -a -m four && git checkout -q early && ls d2 | head -3
git checkout -q main && git rebase -q --onto early main~1 main && git log --format='%h %s' | head -3
git branch -D side && git gc -q --prune=now && git fsck && git count-objects -v | grep -E '^count|in-pack|packs'
git clean -n; git rm -q -r d1 && git commit -q -m five && git reset -q --hard HEAD~1 && git status --short; ls | head
git reflog | wc -l; git grep -c 17 HEAD -- d0 | head -4
