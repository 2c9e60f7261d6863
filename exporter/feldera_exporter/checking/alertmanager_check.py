"""A look at each Alertmanager: what it is. Nothing is sent."""

from dataclasses import dataclass

from feldera_exporter.alertmanager.addresses import Resolver
from feldera_exporter.alertmanager.client import AlertmanagerError, Status
from feldera_exporter.alertmanager.client_factory import client_factory
from feldera_exporter.config import Alertmanager
from feldera_exporter.logs import Logger


@dataclass(frozen=True, slots=True)
class AlertmanagerReport:
    """What was found out about one Alertmanager.

    Attributes:
        url: as configured.
        told: its address and port, or the name where that has no address.
        status: what it says of itself, None where it does not.
        failure: why not.
    """

    url: str
    told: str
    status: Status | None = None
    failure: str = ""


async def asked(configured: Alertmanager, log: Logger) -> list[AlertmanagerReport]:
    """Ask every address of every Alertmanager what it is.

    Raises:
        ConfigError: a certificate is no longer what it was when the configuration was read.
    """
    connect = client_factory(configured, log)
    replies: list[AlertmanagerReport] = []
    for url in configured.urls:
        resolver = Resolver(url)
        try:
            addresses = await resolver.addresses(configured.timeout)
        except (OSError, UnicodeError) as error:
            replies.append(AlertmanagerReport(url, resolver.label, failure=str(error)))
            continue
        finally:
            resolver.stop()
        for address in addresses:
            client = connect(address)
            try:
                replies.append(AlertmanagerReport(url, address.label, await client.status()))
            except AlertmanagerError as error:
                replies.append(AlertmanagerReport(url, address.label, failure=str(error)))
            finally:
                await client.close()
    return replies
