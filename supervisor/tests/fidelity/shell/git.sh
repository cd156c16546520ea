# git's ordinary workflow on a scratch repository.
export GIT_CONFIG_GLOBAL=/dev/null GIT_CONFIG_SYSTEM=/dev/null HOME=$PWD
export GIT_AUTHOR_DATE='2020-01-01T00:00:00Z' GIT_COMMITTER_DATE='2020-01-01T00:00:00Z'
git init -q -b main repo && cd repo
git config user.name tester && git config user.email tester@example.org
for i in 1 2 3; do echo "content $i" > file$i; git add file$i; git commit -q -m "commit $i"; done
git log --oneline | cat
git checkout -q -b side HEAD~1 && echo side > side && git add side && git commit -q -m side
git checkout -q main && git merge -q side -m merge && git log --oneline --graph | cat
echo changed >> file1 && git status --short && git diff --stat | cat
git stash -q && git status --short && git stash pop -q && git status --short
git gc -q && git fsck && git rev-parse HEAD
