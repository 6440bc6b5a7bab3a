from . import anomalies as anomalies
from . import contact_sheet as contact_sheet
from . import images as images
from . import manifest_sheet as manifest_sheet
from . import mistakes as mistakes
