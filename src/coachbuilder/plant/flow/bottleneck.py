from coachbuilder.plant.flow.answer import Bottleneck
def find(plant, totals, cut):
    return Bottleneck("", "", 0.0)
