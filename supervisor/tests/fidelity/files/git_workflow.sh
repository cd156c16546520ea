# A day with git: branches, a merge with a conflict, a rebase, stash, tags, worktrees, garbage collection, clones.
export HOME=$PWD GIT_CONFIG_NOSYSTEM=1 GIT_AUTHOR_NAME=a GIT_AUTHOR_EMAIL=a@b GIT_COMMITTER_NAME=c
export GIT_COMMITTER_EMAIL=c@d GIT_AUTHOR_DATE='2020-01-02 03:04:05 +0000' GIT_COMMITTER_DATE='2020-01-02 03:04:06 +0000'
export GIT_EDITOR=true
git init -q -b main tree && cd tree
for i in $(seq 30); do mkdir -p d$((i % 5)); seq $i $((i * 7)) > d$((i % 5))/f$i; done
ln -s d1/f1 link; printf '#!/bin/sh\n' > run; chmod +x run
git add . && git commit -q -m one && git status --short | head
git checkout -q -b side && seq 50 > d1/f1 && git mv d2/f2 d2/moved && git rm -q d3/f3 && git commit -q -a -m two
git checkout -q main && seq 60 > d1/f1 && seq 3 > d4/new && git add . && git commit -q -m three
git merge side > /dev/null || git status --short
seq 55 > d1/f1 && git add . && git commit -q -m merged
git log --format='%h %s %p' --graph
git checkout -q -b topic HEAD~1 && echo a > a && git add a && git commit -q -m four && echo b >> a && git commit -q -am five
git rebase -q main && git log --format='%h %s' | head -3
echo changed > a && echo untracked > u && git stash -q -u && git status --short && git stash pop -q && git status --short
git commit -q -am six && git tag -a -m tag v1 && git describe
git reset -q --hard HEAD~1 && git cherry-pick v1 > /dev/null && git revert --no-edit HEAD > /dev/null && git log --format=%s | head -3
git gc -q --prune=now && git count-objects -v | grep -E 'packs|in-pack|^count' && git fsck --strict
git worktree add -q ../other main && ls ../other | head -3 && git worktree remove ../other
cd .. && git clone -q tree copy && cd copy && git log --format=%h -1 && git pull -q && git branch -a
git archive HEAD | tar t | tail -2
cd .. && git clone -q --bare tree bare.git && git --git-dir=bare.git rev-list --count HEAD
