from . import dicom as dicom
from . import jpeg_views as jpeg_views
from . import levels as levels
from . import png_pnm as png_pnm
from . import tiff_pages as tiff_pages
from . import tiff_samples as tiff_samples
