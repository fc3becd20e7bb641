"""What a run will take before it is started: bytes, disk, core-hours, time, dollars; and its mix."""
