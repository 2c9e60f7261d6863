"""Checks each Alertmanager: reads its status and sends no alert."""

from dataclasses import dataclass

from feldera_exporter.alertmanager.addresses import addresses, name_and_port
from feldera_exporter.alertmanager.client import AlertmanagerError, AlertmanagerStatus, client_factory
from feldera_exporter.config import Alertmanager
from feldera_exporter.logs import Logger


@dataclass(frozen=True, slots=True)
class AlertmanagerReport:
    """The result for one Alertmanager.

    Attributes:
        label: its `address:port`; `name:port` where the name cannot be resolved.
        status: its version and cluster; None after a failure.
        failure: the error; empty without one.
    """

    url: str
    label: str
    status: AlertmanagerStatus | None = None
    failure: str = ""


async def alertmanager_reports(configured: Alertmanager, log: Logger) -> list[AlertmanagerReport]:
    """Read the status of every address of every configured Alertmanager.

    Raises:
        ConfigError: a certificate file has become unusable since the configuration was read.
    """
    client_of = client_factory(configured, log)
    reports: list[AlertmanagerReport] = []
    for url in configured.urls:
        try:
            found = await addresses(url, configured.timeout)
        except (OSError, UnicodeError) as error:
            reports.append(AlertmanagerReport(url, name_and_port(url), failure=str(error)))
            continue
        for address in found:
            client = client_of(address)
            try:
                reports.append(AlertmanagerReport(url, address.label, await client.status()))
            except AlertmanagerError as error:
                reports.append(AlertmanagerReport(url, address.label, failure=str(error)))
            finally:
                await client.close()
    return reports
