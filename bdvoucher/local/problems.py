"""What can go wrong while a machine is being set up, told to the person in front of it."""

import errno


class SetupProblem(Exception):  # noqa: N818  (it is shown to people, not to programs)
    """One clear sentence and the way out; printed without a traceback."""


def explain(error: OSError) -> SetupProblem:
    """Turn what the operating system said into a sentence that names a way out."""
    where = error.filename or "the project folder"
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return SetupProblem(
            f"No space is left on the disk of {where}: free about 300 MB, or set BDV_LOCAL_DIR "
            "(the data) and TMPDIR (temporary files) to folders on another disk."
        )
    if error.errno in (errno.EACCES, errno.EPERM, errno.EROFS):
        return SetupProblem(
            f"{where} cannot be written ({error.strerror}): make the project folder yours, "
            "or set BDV_LOCAL_DIR to a folder you may write to."
        )
    return SetupProblem(f"The operating system refused: {error}")
