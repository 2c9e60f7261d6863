"""Checks each Alertmanager: reads its status and sends no alert."""

from feldera_exporter.alertmanager.addresses import addresses, name_and_port
from feldera_exporter.alertmanager.client import AlertmanagerError, AlertmanagerStatus, client_factory
from feldera_exporter.config import Alertmanager
from feldera_exporter.logs import Logger


async def check_alertmanagers(configured: Alertmanager, log: Logger) -> tuple[bool, list[str]]:
    """Return whether every address of every configured Alertmanager answers, and a line about each.

    Raises:
        ConfigError: a certificate file cannot be used.
    """
    client_of = client_factory(configured, log)
    lines: list[str] = []
    all_answer = True
    for url in configured.urls:
        try:
            found = await addresses(url, configured.timeout)
        except (OSError, UnicodeError) as error:
            lines.append(f"alertmanager {url}: failed: {name_and_port(url)}: {error}")
            all_answer = False
            continue
        for address in found:
            client = client_of(address)
            try:
                lines.append(f"alertmanager {url}: {address.label}: {_described(await client.status())}")
            except AlertmanagerError as error:
                lines.append(f"alertmanager {url}: failed: {address.label}: {error}")
                all_answer = False
            finally:
                await client.close()
    return all_answer, lines


def _described(status: AlertmanagerStatus) -> str:
    version, cluster = status.version.version or "unknown", status.cluster
    peers = f", peers: {len(cluster.peers)}" if cluster.peers else ""
    return f"version {version}, cluster {cluster.status or 'unknown'}{peers}"
