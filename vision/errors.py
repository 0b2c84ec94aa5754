"""What can be wrong with a picture, a clip, weights or a device, each in words a user understands.

Every error takes positional arguments only, so that it survives the trip between processes.
"""


class UnreadableMedia(Exception):
    """A file that cannot be looked at now or ever; trying again changes nothing."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class UnreadablePicture(UnreadableMedia):
    """A picture that is damaged, too large or no picture at all."""


class UnreadableClip(UnreadableMedia):
    """A clip of which not one frame can be decoded."""


class ModelUnusable(Exception):
    """Weights that cannot serve; the reason says why, `mend` what to do about it."""

    def __init__(self, subject: str, reason: str, mend: str = "") -> None:
        super().__init__(subject, reason, mend)
        self.subject = subject
        self.reason = reason
        self.mend = mend

    def __str__(self) -> str:
        return f"{self.subject}: {self.reason}" + (f"; {self.mend}" if self.mend else "")


class WeightsMissing(ModelUnusable):
    """There is no file at the place the settings name."""

    def __init__(self, path: str, mend: str) -> None:
        super().__init__(path, "there are no weights at this path", mend)
        self.args = (path, mend)


class WeightsBroken(ModelUnusable):
    """The file is there and no runtime can use it."""

    def __init__(self, path: str, reason: str) -> None:
        super().__init__(path, reason, "give it again, or point DETECTOR_WEIGHTS at another file")
        self.args = (path, reason)


class DeviceUnavailable(ModelUnusable):
    """The device that was asked for by name is not here, or this runtime cannot use it."""

    def __init__(self, device: str, reason: str) -> None:
        super().__init__(device, reason, "ask for device 'auto' or 'cpu'")
        self.args = (device, reason)


class BrokenOutput(Exception):
    """The model answered, and what it answered cannot be boxes: all NaN, or confidences outside 0 to 1."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class InferenceFailed(Exception):
    """The loaded model failed on these frames; worth another try, and a fault of the detector if it goes on."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class WrongFrameShape(ValueError):
    """Frames that were letterboxed for another model than the one that is loaded."""

    def __init__(self, expected: tuple[int, int], got: tuple[int, int]) -> None:
        super().__init__(expected, got)
        self.expected = expected
        self.got = got

    def __str__(self) -> str:
        return f"frames are {self.got[0]}×{self.got[1]}, the loaded model takes {self.expected[0]}×{self.expected[1]}"


class DetectorUnavailable(Exception):
    """The detector has no model to run: nothing is wrong with the frames, they wait."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason
