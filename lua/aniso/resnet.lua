-- aniso.resnet{…}: one of the networks of aniso.nets.
return { new = require("aniso.nets").resnet }
