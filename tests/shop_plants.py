"""Random small plants made of shops, for properties of the flow stage."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import strategies as st

from coachbuilder.plant.flow import FlowInputs
from coachbuilder.plant.flow.interface import RampInputs, RampStep, Shop
from coachbuilder.programme.sections.flow import Release, ShopKind

RAMP = RampInputs(
    weeks=60,
    pilot_weeks=4,
    pilot_units_per_week=20.0,
    learning_rate=0.8,
    learning_reference_units=100.0,
    initial_cycle_multiplier=1.6,
    plateau_cycle_multiplier=1.0,
    initial_first_pass_yield=0.6,
    steps=(RampStep(4, 0.3, 0.9), RampStep(6, 0.7, 1.0)),
)


def plain_shop(shop_id: str, kind: ShopKind, **values: object) -> Shop:
    """Return a shop of one machine that all models pass, without failures."""
    plain = Shop(
        id=shop_id,
        name=shop_id,
        kind=kind,
        passes=(True, True, True),
        stages=1,
        parallel=1,
        buffer_between=0,
        buffer_after=0,
        conveyor_places=0,
        exponential=False,
        cycle_time_s=() if kind is ShopKind.ASSEMBLY else (60.0, 60.0, 60.0),
        mtbf_s=None,
        mttr_s=None,
        first_pass_yield=(),
        retest_yield=1.0,
        rework="",
        rejoin="",
        scrap_share=0.0,
    )
    return replace(plain, **values)  # type: ignore[arg-type]


@st.composite
def plants(draw: st.DrawFn) -> FlowInputs:
    """Small plants with everything that the network knows: merges, conveyors, parallel machines, a rework loop."""
    cycle = st.sampled_from([40.0, 60.0, 60.0, 75.0, 90.5])

    def machines() -> dict[str, object]:
        fails = draw(st.booleans())
        return {
            "stages": draw(st.integers(1, 3)),
            "parallel": draw(st.integers(1, 3)),
            "buffer_between": draw(st.integers(0, 2)),
            "buffer_after": draw(st.integers(0, 4)),
            "exponential": draw(st.booleans()),
            "mtbf_s": draw(st.sampled_from([300.0, 2000.0])) if fails else None,
            "mttr_s": draw(st.sampled_from([60.0, 500.0])) if fails else None,
        }

    def times() -> tuple[float, ...]:
        return tuple(draw(cycle) for _ in range(3))

    own_line = draw(st.booleans())
    shops = [plain_shop("body", ShopKind.BODY, **machines(), cycle_time_s=times(), passes=(True, True, not own_line))]
    if own_line:
        shops.append(
            plain_shop("guest_body", ShopKind.BODY, **machines(), cycle_time_s=times(), passes=(False, False, True))
        )
    shops.append(
        plain_shop("paint", ShopKind.PAINT, **machines(), cycle_time_s=times(), conveyor_places=draw(st.integers(0, 6)))
    )
    assembly = {**machines(), "parallel": 1, "conveyor_places": draw(st.integers(0, 7))}
    shops.append(plain_shop("assembly", ShopKind.ASSEMBLY, **assembly))
    rejoin = draw(st.sampled_from(["", "test", "assembly"]))
    shops.append(
        plain_shop(
            "test",
            ShopKind.TEST,
            **machines(),
            cycle_time_s=times(),
            rework="rework",
            first_pass_yield=tuple(draw(st.sampled_from([0.4, 0.9, 1.0])) for _ in range(3)),
            retest_yield=draw(st.sampled_from([0.6, 1.0])) if rejoin else 1.0,
        )
    )
    shops.append(
        plain_shop(
            "rework",
            ShopKind.REWORK,
            **machines(),
            cycle_time_s=times(),
            rejoin=rejoin,
            scrap_share=draw(st.sampled_from([0.0, 0.2])),
        )
    )
    return FlowInputs(
        models=("h6", "goodcat", "guest"),
        guest_model="guest",
        planned_units_per_year=(60_000.0, draw(st.sampled_from([0.0, 25_000.0])), 40_000.0),
        shops=tuple(shops),
        assembly_takt_s=draw(cycle),
        resident_only_takt_s=90.0,
        net_hours_per_day=8.0,
        working_days_per_year=250.0,
        release=draw(st.sampled_from(list(Release))),
        ramp=RAMP,
        replications=2,
        days=1.0,
        warm_up_days=0.2,
        seed=draw(st.integers(0, 1000)),
    )
