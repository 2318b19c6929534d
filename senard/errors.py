"""Every error that senard raises on purpose, one family per reaction."""


class SenardError(Exception):
    """The root: the message says which scene or setting, what was expected, what was found, what to do now."""


class TransientError(SenardError):
    """The far side failed (network, full disk of a server, busy file): trying again may help."""


class PendingError(TransientError):
    """Not there yet, but it will be: ask again after a long pause, for as long as the user wants to wait."""

    def __init__(self, message: str, *, again_in_s: float) -> None:
        """Say what is awaited.

        Args:
            message: as every error's.
            again_in_s: pause before it makes sense to ask again, s.
        """
        super().__init__(message)
        self.again_in_s = again_in_s

    def __reduce__(self) -> tuple[object, ...]:
        return _pending, (str(self), self.again_in_s)


def _pending(message: str, again_in_s: float) -> PendingError:
    return PendingError(message, again_in_s=again_in_s)


class UnusableSceneError(SenardError):
    """One product cannot be used: leave the scene out, report it with this reason, go on with the others."""

    def __init__(self, message: str, *, product_id: str = "") -> None:
        """Say why.

        Args:
            message: as every error's.
            product_id: whose fault it is, where one step reads several products.
        """
        super().__init__(message)
        self.product_id = product_id


class RequestError(SenardError):
    """What was asked cannot be done: a person must change the request. Exit code 2."""


class AccountError(RequestError):
    """A source refuses whoever asks (licence, password, keys), not one product: every other one is refused alike."""

    def __init__(self, message: str, *, source: str = "") -> None:
        """Say why.

        Args:
            message: as every error's.
            source: who refuses, for whoever would ask it again: "cdse"; empty where no source was asked.
        """
        super().__init__(message)
        self.source = source

    def __reduce__(self) -> tuple[object, ...]:
        return _refused, (str(self), self.source)


def _refused(message: str, source: str) -> AccountError:
    return AccountError(message, source=source)


class StorageError(RequestError):
    """This machine cannot keep what is fetched (full disk, read-only folder): no source can help. Exit code 2."""


class NoDataError(RequestError):
    """The request is sound, but no scene or no clear pixel answers it. Exit code 3."""


class IncompleteError(SenardError):
    """A product is not whole: files are missing or changed. Exit code 4."""
