"""One instance, polled: its list, its event log, its surroundings, each at its own pace."""
