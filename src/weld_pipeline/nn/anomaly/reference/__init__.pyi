from . import model as model
