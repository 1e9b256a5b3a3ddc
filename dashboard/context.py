"""Who looks, and with what: Viewer and Context, handed to every page by `main.py`.

Roles are checked on every page and at every act again: leaving a page out of the navigation is not access control. A new
role is a line in `ROLES` and its pages in `navigation.PAGES`.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from zoneinfo import ZoneInfo

from dashboard.i18n import msg
from domain.clock import utc_now
from domain.contracts import Attribution
from domain.departments import DEPARTMENT_BY_KEY, DEPARTMENTS
from domain.label import Field
from domain.mention import Mention
from store import Store

Explain = Callable[[Mention, Field, str], tuple[Attribution, ...]]  # as domain.contracts.CanExplain has it

COMMUNITY_MANAGER = "community_manager"
DEPARTMENT_HEAD = "department_head"
MANAGEMENT = "management"
ADMIN = "admin"
ROLES: dict[str, str] = {
    COMMUNITY_MANAGER: msg("Community manager"),
    DEPARTMENT_HEAD: msg("Responsable de service"),
    MANAGEMENT: msg("Direction"),
    ADMIN: msg("Administration"),
}


@dataclass(frozen=True, slots=True)
class Viewer:
    """A person in front of the screen; no departments means all of them."""

    name: str
    role: str
    departments: tuple[str, ...] = ()

    def sees(self, department: str) -> bool:
        """True where cases and numbers of this department are this person's business."""
        return not self.departments or department in self.departments


@dataclass(frozen=True, slots=True)
class Context:
    """What a page needs. `now` is the moment of the run; fragments that run later ask for `fresh()`.

    Attributes:
        explain: which words carried a tag, asked of the analyzer; None where it cannot say.
    """

    store: Store
    viewer: Viewer
    lang: str
    now: datetime
    zone: ZoneInfo
    currency: str = "EUR"
    brand: str = "Comptoir"
    clock: Callable[[], datetime] = utc_now
    explain: Explain | None = None

    def fresh(self) -> "Context":
        """The same, at this moment."""
        return replace(self, now=self.clock())


def demo_viewers() -> tuple[Viewer, ...]:
    """The people of the demo shop, the first one first: the community manager, each head, management, the admin."""
    heads = {
        "customer_service": "Inès",
        "marketing": "Thomas",
        "product_quality": "Camille",
        "logistics": "Karim",
        "stores_sales": "Sofia",
        "ecommerce": "Hugo",
        "finance": "Nadia",
        "human_resources": "Paul",
    }
    return (
        Viewer("Awa", COMMUNITY_MANAGER),
        *(
            Viewer(heads.get(department.key, department.title_fr), DEPARTMENT_HEAD, (department.key,))
            for department in DEPARTMENTS
            if department.key != "management"
        ),
        Viewer("Claire", MANAGEMENT),
        Viewer("Admin", ADMIN),
    )


def demo_key(viewer: Viewer) -> str:
    """What names a demo viewer in the address: the department of a head, else the role."""
    return viewer.departments[0] if viewer.departments else viewer.role


def viewer_of_login(name: str, email: str | None, roles: Mapping[str, str]) -> Viewer | None:
    """The viewer behind a login, or None where nobody gave this address a role.

    Args:
        roles: address -> `community_manager`, `management`, `admin` or `department_head:<department>[,<department>]`.
    """
    address = (email or "").strip().lower()
    granted = roles.get(address, "") if address else ""
    role, _, rest = granted.partition(":")
    departments = tuple(key.strip() for key in rest.split(",") if key.strip())
    if role not in ROLES or any(key not in DEPARTMENT_BY_KEY for key in departments):
        return None
    if (role == DEPARTMENT_HEAD) != bool(departments):
        return None  # a head without a department would see everything
    return Viewer(name or (email or ""), role, departments)
