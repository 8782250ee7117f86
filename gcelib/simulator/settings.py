"""What an operator of a management server can set, with CloudStack's defaults."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(kw_only=True)
class Settings:
    """The global settings that clients can feel; CloudStack's own name follows each.

    Times are in seconds. `job_delay` None keeps each command's usual time, 0 ends a job when it is polled,
    any other number is every job's length.
    """

    job_delay: float | None = None
    page_size: int = 500  # default.page.size
    user_may_expunge: bool = False  # allow.user.expunge.recover.vm
    user_sees_destroyed: bool = False  # allow.user.view.destroyed.vm
    expunge_delay: float = 86400.0  # expunge.delay and expunge.interval
    userdata_limit: int = 32768  # vm.userdata.max.length
    enforce_post: bool = False  # enforce.post.requests.and.timestamps
    throttle: int = 0  # api.throttling.max per second; 0 is api.throttling.enabled=false
    force_stop: bool = True  # allow.user.force.stop.vm
    duplicate_network_names: bool = True  # allow.duplicate.networkname
    widest_prefix: int = 22  # network.guest.cidr.limit, for all but admins
    public_templates: bool = True  # allow.public.user.templates
    dynamic_scaling: bool = False  # enable.dynamic.scale.vm
    job_expiry: float = 86400.0  # job.expire.minutes
