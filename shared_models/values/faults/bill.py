"""Refusals of the bill slice. Those of the calculator set one account aside; the month run goes on."""

from shared_models.values.faults.base import Fault


class BillHistoryBroken(Fault):
    """A product's billing events do not make a history: no activation first, or something after the end."""

    code = "bill_history_broken"
    status = 409


class BillPriceMissing(Fault):
    """An event names an offering or price book version billing does not hold."""

    code = "bill_price_missing"
    status = 409


class BillProductUnknown(Fault):
    """Usage or a pay relation belongs to a product billing has not heard of."""

    code = "bill_product_unknown"
    status = 409


class BillBundleDoubled(Fault):
    """Two products claim the same part of one bundle: the bundle's price would be charged twice."""

    code = "bill_bundle_doubled"
    status = 409


class BillAmountTooLarge(Fault):
    """A line or bill is larger than any amount this system books."""

    code = "bill_amount_too_large"
    status = 409


class BillItemUnknown(Fault):
    """A charge belongs to an item that has neither a name nor a tax rate (resources/policy/billing.toml)."""

    code = "bill_item_unknown"
    status = 409


class BillRunClosedAlready(Fault):
    """The month has been billed and closed."""

    code = "bill_run_closed_already"
    status = 409


class BillMonthNotOver(Fault):
    """The month is not over yet; its bills can be previewed but not issued."""

    code = "bill_month_not_over"
    status = 409


class BillMonthFirst(Fault):
    """Cycles with a billing day of their own are billed after the calendar month's run has begun."""

    code = "bill_month_first"
    status = 409


class BillingDayTooSoon(Fault):
    """The cycle the change would move has begun already; ``earliest`` is the first month that can change."""

    code = "billing_day_too_soon"
    status = 409


class BillNotAside(Fault):
    """The account is not set aside in that month: it was billed, or it never was in the run."""

    code = "bill_not_aside"
    status = 409


class BillUsageNotReady(Fault):
    """Included units of the month are still to be dealt out to products whose usage came late."""

    code = "bill_usage_not_ready"
    status = 409
    retry = True


class BillRunNotRunning(Fault):
    """The run is not running: it was cancelled or is closed."""

    code = "bill_run_not_running"
    status = 409


class BillMoved(Fault):
    """The account changed while its bill was being made, again and again; it is tried later."""

    code = "bill_moved"
    status = 409
    retry = True


class BillImportRefused(Fault):
    """A bill from an old system cannot be taken over; ``reason`` says why."""

    code = "bill_import_refused"
    status = 422
