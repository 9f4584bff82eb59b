"""The bill calculator: pure functions from frozen inputs to a draft bill with its explanation. No I/O.

``draft.draft_bill`` is the one call; the preview is that call, the month run is that call and a save.
"""
