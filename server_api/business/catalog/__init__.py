"""The catalogue: offerings, bundles, prices by date, frozen price book versions."""
