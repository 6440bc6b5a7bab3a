from . import coreset as coreset
from . import model as model
from . import streaming_coreset as streaming_coreset
