"""OpenStack Placement's HTTP API, as a face over the ledger: microversions 1.0 to 1.39.

It has no model and no tables of its own. Each of its writes is one of the ledger's use cases, and
each of its reads looks at the same aggregates and the same live view as `/v1`.
"""
