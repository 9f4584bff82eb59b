"""Refusals about files for banks and their answers."""

from shared_models.values.faults.base import Fault


class DebitAnswerNotValid(Fault):
    """A bank's answer cannot be read; ``line`` and ``problem`` say where and why. Nothing of it was taken."""

    code = "debit_answer_not_valid"
    status = 422


class DebitFileUnknown(Fault):
    """No file of that number was made for that bank."""

    code = "debit_file_unknown"
    status = 404


class DebitNothingToAsk(Fault):
    """No account with a contract at that bank owes anything that was not asked for already."""

    code = "debit_nothing_to_ask"
    status = 409
