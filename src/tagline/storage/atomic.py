"""Files and folders that appear whole or not at all.

A file is written under a temporary name in its folder, flushed to the disk (fsync) and renamed. A folder is built under
a temporary name too, and flushed as a whole when it is finished, not file by file. It cannot replace a full one in one
step, so the old one is first renamed to ``.NAME.tagline-old``, then to a temporary name, and deleted last. A process
that is killed after the first rename leaves the old folder there: `recover` puts it back, or deletes it if the new
folder is in place.

A temporary file or folder is locked as long as its process works on it. Whoever writes in the same folder next removes
those that are not locked: their process was killed. Where there are no locks nothing is removed. Where locks hold on
one machine only (NFS mounted with ``local_lock``), machines must not write in the same folder at the same time.
"""

import errno
import json
import os
import re
import secrets
import shutil
import stat
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, BinaryIO

from tagline.storage.flush import flush_file, flush_folder, flush_tree
from tagline.storage.locks import lock, lock_descriptor

if os.name == "posix":
    import fcntl

_TEMPORARY = ".tagline-tmp-"
_TEMPORARY_NAME = re.compile(rf"{re.escape(_TEMPORARY)}[0-9a-f]{{16}}")
_OLD = ".tagline-old"
_ATTEMPTS = 100  # to find parents that other processes make and delete


def write_file(path: str | Path, content: str | bytes) -> None:
    """Write a file, text as UTF-8, so that a reader sees the old content or the new one.

    Bytes of a path that are not UTF-8 are lone surrogates in Python; as escapes JSON keeps them.
    """
    with open_file(path) as stream:
        stream.write(content.encode(errors="backslashreplace") if isinstance(content, str) else content)


def write_json(path: str | Path, content: Any) -> None:
    """Write JSON; a path in it becomes text."""
    write_file(path, json.dumps(content, ensure_ascii=False, indent=1, allow_nan=False, default=str) + "\n")


@contextmanager
def open_file(path: str | Path, *, keep_mode: bool = False) -> Iterator[BinaryIO]:
    """Yield a stream whose content replaces the file ``path`` at the end; an exception leaves the old file as it was.

    The permissions are those of a new file (umask), or with ``keep_mode`` those of the old one, and its owner if that
    is allowed. A symbolic link is replaced, not followed.

    Raises:
        OSError: the file cannot be written; nothing is left behind.

    """
    target = Path(path)
    is_lasting = not _is_in_temporary(target)
    remove_abandoned(target.parent)
    temporary, descriptor = _make_temporary(target.parent)
    try:
        with os.fdopen(descriptor, "wb") as stream:
            if keep_mode and os.name == "posix":
                old = target.stat()
                for owner in ((-1, old.st_gid), (old.st_uid, -1)):  # the group may be allowed, and the user not
                    with suppress(OSError):
                        os.fchown(descriptor, *owner)
                os.fchmod(descriptor, stat.S_IMODE(old.st_mode))
            yield stream
            stream.flush()
            if is_lasting:
                os.fsync(stream.fileno())
            if os.name == "posix":  # while it is locked: see `remove_abandoned`
                temporary.replace(target)
        if os.name != "posix":  # Windows renames closed files only
            temporary.replace(target)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
    if is_lasting:
        flush_folder(target.parent)


def append_file(path: Path, content: bytes) -> None:
    """Append to a file, in one piece if the system allows, and flush it to the disk; make it if it is missing."""
    is_new = not path.exists()
    with path.open("ab") as stream:
        stream.write(content)
        stream.flush()
        os.fsync(stream.fileno())
    if is_new:
        flush_folder(path.parent)


def rename_file(source: Path, target: Path) -> None:
    """Flush a finished file to the disk and rename it to ``target``, which it replaces."""
    flush_file(source)
    source.replace(target)
    flush_folder(target.parent)


@contextmanager
def replace_folder(target: str | Path, check: Callable[[Path], None] = lambda target: None) -> Iterator[Path]:
    """Yield an empty folder that replaces ``target`` at the end; an exception leaves the old folder as it was.

    Missing parents are made, and removed again if an exception leaves them empty.

    Args:
        target: the folder to write; its old content is deleted.
        check: called with ``target``, before anything is written and again before it is replaced, if there is
            something at ``target``; raises if that must not be deleted.

    Raises:
        OSError: the folder cannot be written; nothing is left behind.

    """
    target = _named(Path(target))
    if target.is_symlink():  # the folder that it leads to is replaced, and the link stays
        target = target.resolve()
    is_lasting = not _is_in_temporary(target)
    recover(target)
    if target.exists():
        check(target)
    missing = make_parents(target.parent)
    try:
        remove_abandoned(target.parent)
        folder, descriptor = _make_temporary(target.parent, folder_mode=0o777)
        try:
            yield folder
            if is_lasting:
                flush_tree(folder)
            _put_in_place(folder, target, check)
            if is_lasting:
                flush_folder(target.parent)
        except BaseException:
            _remove(folder)
            raise
        finally:
            os.close(descriptor)
    except BaseException:
        _remove_empty(missing)
        raise


def check_file(target: Path) -> None:
    """Raise `OSError` if no file can be written in the folder of ``target``: a file is made there and deleted."""
    remove_abandoned(target.parent)
    path, descriptor = _make_temporary(target.parent)
    try:
        os.write(descriptor, bytes(4096))  # an empty file fits on a full disk
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
        path.unlink(missing_ok=True)


def check_folder(target: Path) -> None:
    """Raise `OSError` if `replace_folder` could not write ``target``.

    Permissions do not tell: root has them all, and a disk can be full. So missing parents and a file are made, and
    deleted again.
    """
    target = _named(target)
    if target.is_symlink():
        target = target.resolve()
    if os.path.ismount(target):
        raise OSError(errno.EBUSY, "it is a mount point, which cannot be replaced; name a folder in it")
    for attempts_left in reversed(range(_ATTEMPTS)):
        missing: list[Path] = []
        try:
            missing = make_parents(target.parent)
            with suppress(FileNotFoundError):
                _old(target).lstat()  # its name is the longest: is it too long?
            check_file(target)
        except (FileNotFoundError, FileExistsError):  # the latter, of mkdir, for one that is deleted after it
            if not attempts_left:
                raise
            # Another process that checks, and made the parents, may have deleted them.
        else:
            return
        finally:
            _remove_empty(missing)


@contextmanager
def temporary_folder(parent: Path | None = None) -> Iterator[Path]:
    """Yield an empty folder that only this user can read, and delete it at the end.

    Args:
        parent: where to make it; by default in the system's folder of temporary files.

    """
    parent = parent or Path(tempfile.gettempdir())
    remove_abandoned(parent)
    folder, descriptor = _make_temporary(parent, folder_mode=0o700)
    try:
        yield folder
    finally:
        _remove(folder)
        os.close(descriptor)


def recover(path: str | Path) -> None:
    """Put back the folder ``path``, or one above it, if a process was killed while it replaced that folder.

    While a living process replaces it, wait until that has ended. An old copy of a folder that is there is deleted, so
    that it does not return when the folder is deleted later.
    """
    path = _named(Path(path))
    for folder in (*reversed(path.parents), path):
        if folder.name and os.path.lexists(_old(folder)):
            _restore_or_discard(folder)


def recover_all(parent: Path) -> None:
    """Put back every folder in ``parent`` that a killed process was replacing; delete old ones that were replaced."""
    for old in parent.glob(f".*{_OLD}"):
        _restore_or_discard(old.with_name(old.name.removesuffix(_OLD)[1:]))


def remove_folder(folder: Path) -> None:
    """Delete a folder as a whole: if the process is killed meanwhile, no half of it is left under its name."""
    try:
        _discard(folder)
    except OSError:  # missing, or it cannot be renamed
        shutil.rmtree(folder, ignore_errors=True)


def _make_temporary(parent: Path, *, folder_mode: int | None = None) -> tuple[Path, int]:
    """Make an empty file or folder with a temporary name; return it and a descriptor that holds a lock on it.

    Args:
        parent: where to make it.
        folder_mode: the permissions of a folder, less the umask; None makes a file.

    """
    while True:
        path = parent / f"{_TEMPORARY}{secrets.token_hex(8)}"
        if folder_mode is None:
            descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o666)  # less the umask
        elif os.name != "posix":
            path.mkdir()
            return path, os.open(os.devnull, os.O_RDONLY)  # Windows cannot open a folder
        else:
            path.mkdir(folder_mode)
            try:
                descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
            except FileNotFoundError:  # another process took it for abandoned
                continue
        if os.name == "posix":
            try:
                lock_descriptor(descriptor)
            except BaseException:  # an interrupt
                os.close(descriptor)
                _remove(path)
                raise
        if path.exists():
            return path, descriptor
        os.close(descriptor)


def remove_abandoned(parent: Path) -> None:
    """Remove the temporary files and folders in ``parent`` of processes that were killed, and nothing else.

    What cannot be locked stays: a living process works on it, or the file system has no locks.
    """
    if os.name != "posix":
        return
    with suppress(OSError):  # `parent` is missing, or cannot be listed
        for name in os.listdir(parent):  # noqa: PTH208  # names only: the folder may be large
            if _TEMPORARY_NAME.fullmatch(name):
                with suppress(OSError):
                    _remove_unless_locked(parent / name)


def _remove_unless_locked(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)  # neither links, nor waiting for a pipe
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        opened = os.fstat(descriptor)
        ours = stat.S_ISREG(opened.st_mode) or stat.S_ISDIR(opened.st_mode)
        if ours and os.path.samestat(opened, path.lstat()):
            _remove(path)
    finally:
        os.close(descriptor)


def _put_in_place(folder: Path, target: Path, check: Callable[[Path], None]) -> None:
    """Rename ``folder`` to ``target``, replacing what is there."""
    while True:
        recover(target)
        try:
            if _is_missing_or_empty(target):
                if os.name != "posix" and target.exists():
                    target.rmdir()
                folder.rename(target)
            else:
                with lock(target):
                    check(target)
                    _swap(folder, target)
            break
        except OSError as error:
            replaced = error.errno in (errno.ENOENT, errno.ENOTEMPTY, errno.EEXIST)  # by another process, just now
            if not (replaced and folder.exists() and target.parent.exists()):
                raise


def _swap(folder: Path, target: Path) -> None:
    old = _old(target)
    if os.path.lexists(old):  # it was replaced, but its process was killed before it deleted it
        with lock(old):  # whoever renames it holds its lock: see `_restore_or_discard`
            _discard(old)
    try:
        target.rename(old)
        folder.rename(target)
    except BaseException:  # an interrupt, too
        if os.path.lexists(old) and not os.path.lexists(target):
            old.rename(target)
        raise
    with suppress(OSError):  # the new folder is in place: `recover` deletes what is left of the old one
        _discard(old)


def _restore_or_discard(target: Path) -> None:
    """Rename the old copy of a folder back if the folder is missing, and delete it otherwise."""
    old = _old(target)
    with suppress(OSError), lock(old, wait=not os.path.lexists(target)):
        if os.path.lexists(target):
            _discard(old)
        else:
            old.rename(target)


def _discard(folder: Path) -> None:
    """Delete a folder under a temporary name, so that no half of it is ever put back."""
    doomed = folder.with_name(f"{_TEMPORARY}{secrets.token_hex(8)}")
    folder.rename(doomed)
    _remove(doomed)


def _remove(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path, ignore_errors=True)
    else:
        path.unlink(missing_ok=True)


def _is_in_temporary(path: Path) -> bool:
    """Return whether a path is in a temporary folder, which is flushed as a whole before it is renamed, or deleted."""
    return any(_TEMPORARY_NAME.fullmatch(name) for name in path.absolute().parent.parts)


def _old(target: Path) -> Path:
    return target.with_name(f".{target.name}{_OLD}")


def _named(path: Path) -> Path:
    """Return a path whose last part is a name: neither ``.`` nor ``..``."""
    return path.absolute() if path.name not in ("", "..") else path.resolve()


def _is_missing_or_empty(folder: Path) -> bool:
    try:
        return not any(folder.iterdir())
    except FileNotFoundError:
        return True


def make_parents(parent: Path) -> list[Path]:
    """Make a folder and those above it; return the ones that were missing, the lowest first."""
    missing = []
    at = parent
    while not at.exists():
        missing.append(at)
        at = at.parent
    try:
        parent.mkdir(parents=True, exist_ok=True)
    except OSError:
        _remove_empty(missing)
        raise
    return missing


def _remove_empty(folders: list[Path]) -> None:
    for folder in folders:
        with suppress(OSError):  # missing, or not empty
            folder.rmdir()
