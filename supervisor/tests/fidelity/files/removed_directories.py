# Where one gets from directories that are gone.
import os, tempfile


def told(name, what):
    try:
        print(name, what())
    except OSError as error:
        print(name, error.strerror)


def is_same(one, other):
    return lambda: os.path.samestat(os.stat(one), os.stat(other))


base = tempfile.mkdtemp(dir=".")
base = os.path.abspath(base)
os.makedirs(base + "/a/b/c")
os.chdir(base + "/a/b/c")
os.rmdir(base + "/a/b/c")
told("list ..", lambda: os.listdir(".."))
told("where", os.getcwd)
told("links", lambda: os.stat(".").st_nlink)
told("above", is_same("..", base + "/a/b"))
os.rename(base + "/a/b", base + "/a/r")
told("above, renamed", is_same("..", base + "/a/r"))
os.mkdir(base + "/a/b")
told("another of its name", is_same("..", base + "/a/b"))
os.rmdir(base + "/a/r")
told("list .., removed", lambda: os.listdir(".."))
told("list ../..", lambda: os.listdir("../.."))
told("make ../x", lambda: os.mkdir("../x"))
told("open ../x", lambda: os.open("../x", os.O_CREAT))
told("link ../x", lambda: os.symlink("x", "../x"))
told("rename ../x", lambda: os.rename("../x", "../y"))
told("links above", lambda: os.stat("..").st_nlink)
told("up", lambda: os.chdir(".."))
told("where", os.getcwd)
told("list ..", lambda: os.listdir(".."))
told("make y", lambda: os.mkdir("y"))
told("up", lambda: os.chdir(".."))
told("where", lambda: os.getcwd() == base + "/a")
os.mkdir("over")
os.chdir("over")
os.makedirs(base + "/a/new/deep")
os.rename(base + "/a/new", base + "/a/over")
told("replaced", lambda: os.listdir("."))
told("where, replaced", os.getcwd)
told("list ..", lambda: sorted(os.listdir("..")))
open("../plain", "w").close()
told("rename to a name in it", lambda: os.rename("../plain", "name/"))
told("rename to a directory", lambda: os.rename("../plain", "../name/"))
os.unlink("../plain")
os.chdir("../over/deep")
os.rmdir(base + "/a/over/deep")
os.rmdir(base + "/a/over")
os.rmdir(base + "/a/b")
os.rmdir(base + "/a")
told("three up", is_same("../../..", base))
os.rmdir(base)
told("four up", lambda: len(os.listdir("../../../..")) > 0)
