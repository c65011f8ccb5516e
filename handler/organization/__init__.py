"""The audit of many accounts: a plan, a scan for each account, and one report of all."""
