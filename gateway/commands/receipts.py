"""`shouwang receipts`: what to enter at a provider, so that its receipts and people's answers come back."""

from gateway.commands import Config, State, existing, say, settings_of


def receipts(config: Config = None, state: State = None) -> None:
    """Print the addresses that providers push receipts and answers to; each holds a key of its own. 回执地址"""
    from alerts.channels import DOORS
    from dashboard.links import Links
    from gateway.app import page_secret
    from gateway.clock import SystemClock

    settings = settings_of(config, state)
    links = Links(page_secret(existing(settings)), settings.base_url, SystemClock())
    for door in DOORS:
        note = "" if door in settings.ready_channels else "   # not set up"
        say(f"{door:14} {settings.base_url.rstrip('/')}/in/{door}/{links.key(door)}{note}")
    signed = (
        "signed with channels.webhook.secret"
        if settings.channels.get("webhook", {}).get("secret")
        else "shut: set channels.webhook.secret"
    )
    say(f"{'webhook':14} {settings.base_url.rstrip('/')}/in/signed   # {signed}")
