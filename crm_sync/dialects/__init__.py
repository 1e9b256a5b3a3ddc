"""How each vendor's own import wants its files: DIALECTS, one module each.

A dialect is pure: it says which rows of which files a record becomes, or why this vendor cannot take it. Writing them is
`keyed_csv`'s and `csv_file`'s. To add one, write `dialects/<vendor>.py` with a `DIALECT` and add it here.
"""

from crm_sync.dialects import hubspot, odoo, salesforce
from crm_sync.dialects.table import Dialect

DIALECTS: tuple[Dialect, ...] = (hubspot.DIALECT, salesforce.DIALECT, odoo.DIALECT)
