"""Refusals of credit control and price questions."""

from shared_models.values.faults.base import Fault


class CreditOwnerUnknown(Fault):
    """Nobody owns that number or login at that time, or nobody pays for it."""

    code = "credit_owner_unknown"
    status = 404


class CreditNoPrice(Fault):
    """The owner's tariffs have no price for this call."""

    code = "credit_no_price"
    status = 422


class CreditSessionNotFound(Fault):
    """No session of that id was begun here; where messages overtook each other, the same one may be sent again."""

    code = "credit_session_not_found"
    status = 404


class CreditSessionEnded(Fault):
    """The session was settled already; what comes after its end changes nothing."""

    code = "credit_session_ended"
    status = 409


class CreditSessionTaken(Fault):
    """A session of that id was begun for another call."""

    code = "credit_session_taken"
    status = 409


class CreditRequestLate(Fault):
    """A later message of this session came first; this one changes nothing."""

    code = "credit_request_late"
    status = 409


class CreditUsedFalls(Fault):
    """The quantity used so far is reported lower than before."""

    code = "credit_used_falls"
    status = 422


class PricingAway(Fault):
    """The process that works prices out does not answer; the same question may be asked again."""

    code = "pricing_away"
    status = 503
    retry = True
