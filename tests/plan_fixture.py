"""A plan made by hand, so that the report can be tested without running a stage."""

from __future__ import annotations

import datetime as dt
from types import SimpleNamespace
from typing import Any

import numpy as np

from coachbuilder.deal import interface as deal
from coachbuilder.deal import timing
from coachbuilder.market.announcement import interface as announcement
from coachbuilder.market.demand import interface as demand
from coachbuilder.plant.balance import interface as balance
from coachbuilder.plant.flow import interface as flow
from coachbuilder.programme.sections.flow import ShopKind
from coachbuilder.programme.sections.market import Owner, RangeProcedure, Side
from coachbuilder.risk import interface as risk
from coachbuilder.vehicle import interface as vehicle


def ramp_result() -> flow.RampResult:
    week = np.arange(1, 53)
    built = np.clip((week - 13) / 22, 0, 1) ** 1.3 * 2900 + (week <= 12) * 50
    lost = 600 * np.exp(-(((week - 22) / 9) ** 2)) + np.where(week > 12, 140.0, 0.0)
    return flow.RampResult(
        week=week,
        guest_units=np.round(built),
        resident_units=6000 - lost,
        resident_units_lost=np.round(lost),
        first_pass_yield=0.62 + 0.3 * (1 - np.exp(-week / 14)),
        cycle_multiplier=1 + np.exp(-week / 10),
        line_speed_share=np.where(week < 13, 0.9, np.clip(0.6 + (week - 13) / 45, 0, 1)),
        limiting_shop=("assembly",) * 52,
        start_of_production_week=13,
        weeks_to_rate=21,
        guest_units_first_year=98_340.0,
        resident_units_lost_total=11_870.0,
    )


def flow_result() -> flow.FlowResult:
    def shop(shop_id: str, name: str, kind: ShopKind, alone: float, busy: float, jph: float = 54.3) -> flow.ShopResult:
        return flow.ShopResult(
            id=shop_id,
            name=name,
            kind=kind,
            jph=jph,
            stand_alone_jph=alone,
            working_share=busy,
            down_share=0.04,
            blocked_share=(1 - busy - 0.04) * 0.4,
            starved_share=(1 - busy - 0.04) * 0.6,
            busiest_machine=f"{shop_id}.1.1",
            mean_cars=40.0,
        )

    shops = (
        shop("body-h", "Body shop, residents", ShopKind.BODY, 46.0, 0.82, 35.1),
        shop("body-g", "Body shop, guest", ShopKind.BODY, 24.0, 0.80, 19.2),
        shop("paint", "Paint shop", ShopKind.PAINT, 58.0, 0.90),
        shop("store", "Painted-body store", ShopKind.STORE, 90.0, 0.58),
        shop("assembly", "Final assembly", ShopKind.ASSEMBLY, 56.1, 0.94),
        shop("test", "End-of-line test", ShopKind.TEST, 66.0, 0.79),
        shop("rework", "Rework", ShopKind.REWORK, 14.0, 0.55, 5.8),
    )

    def buffer(start: str, end: str, places: int, level: float) -> flow.BufferResult:
        return flow.BufferResult(f"{start}-{end}", start, end, places, level)

    return flow.FlowResult(
        jph=54.3,
        jph_ci95=0.31,
        planned_jph=56.0,
        models=(
            flow.ModelRate("h6", 24.1, 0.2, 110_000.0, 106_400.0, 106_400.0),
            flow.ModelRate("ora-cat", 11.0, 0.1, 50_000.0, 48_900.0, 48_900.0),
            flow.ModelRate("guest", 19.2, 0.2, 86_000.0, 84_900.0, 84_900.0),
        ),
        guest_share=0.353,
        guest_capacity_units_per_year=84_900.0,
        guest_units_per_year=84_900.0,
        shops=shops,
        machines=(
            flow.MachineResult("assembly.7.1", "assembly", 54.3, 0.94, 0.04, 0.01, 0.01, 5400.0),
            flow.MachineResult("paint.1.1", "paint", 54.3, 0.90, 0.04, 0.03, 0.03, 3100.0),
        ),
        buffers=(
            buffer("body-h", "paint", 40, 22.0),
            buffer("body-g", "paint", 25, 9.0),
            buffer("paint", "store", 20, 8.0),
            buffer("paint", "paint", 4, 2.0),
            buffer("store", "assembly", 120, 71.0),
            buffer("assembly", "test", 18, 7.0),
            buffer("test", "rework", 30, 6.0),
            buffer("rework", "test", 30, 2.0),
        ),
        bottleneck="assembly",
        bottleneck_name="Final assembly",
        bottleneck_machine="assembly.7.1",
        bottleneck_active_share=0.981,
        work_in_progress_cars=412.0,
        lead_time_h=14.2,
        first_pass_yield=0.912,
        scrapped_share=0.0004,
        resident_before=flow.HostOutput(39.8, 0.25, 176_000.0, 160_000.0, "paint"),
        resident_after=flow.HostOutput(35.1, 0.22, 155_300.0, 155_300.0, "assembly"),
        resident_units_lost_per_year=4_700.0,
        ramp=ramp_result(),
        deadlock="",
        cars_at_start=4010,
        cars_in=88_214,
        cars_out=88_177,
        cars_scrapped=36,
        cars_inside=4011,
        simulated_hours=3200.0,
        replications=20,
    )


def cycle_result(name: str, duration: int, top: float) -> vehicle.CycleResult:
    time = np.arange(duration)
    speed = np.clip(top * np.abs(np.sin(time / 57.0)) ** 1.5 * (0.4 + 0.6 * time / duration), 0, top)
    power = 3.0 + speed * 0.09 + np.gradient(speed) * speed * 0.14
    energy = np.cumsum(power) / 3600
    distance = float(speed.sum() / 3600)
    used = float(energy[-1] / distance * 100)
    shares = (0.34, 0.3, 0.02, 0.2, 0.09, 0.05)
    return vehicle.CycleResult(
        name=name,
        distance_km=distance,
        duration_s=duration,
        battery_kwh_per_100km=used,
        ac_kwh_per_100km=used * 1.12,
        regenerated_kwh_per_100km=used * 0.2,
        trace_missed_s=0,
        energy=vehicle.EnergyBreakdown(*(used * share for share in shares)),
        time_s=time,
        speed_kmh=speed,
        battery_power_kw=power,
        energy_kwh=energy,
    )


def vehicle_result() -> vehicle.VehicleResult:
    items = {"pack": 52_300.0, "motor_and_inverter": 9_100.0, "body_and_chassis": 31_000.0, "electronics": 14_200.0, "interior": 11_500.0}
    return vehicle.VehicleResult(
        name="Guest car",
        curb_mass_kg=1_760.0,
        gross_kwh=64.2,
        usable_kwh=60.1,
        cycles=(
            cycle_result("UDDS", 1370, 91.0),
            cycle_result("HWFET", 766, 97.0),
            cycle_result("WLTC 3b", 1801, 131.3),
        ),
        epa_label_range_km=389.0,
        epa_label_kwh_per_100km=17.6,
        wltp_range_km=432.0,
        wltp_kwh_per_100km=15.4,
        cltc_range_estimate_km=520.0,
        zero_to_100_s=7.4,
        top_speed_kmh=162.0,
        charge_10_80_min=34.0,
        parts_cost_cny=sum(items.values()),
        parts_cost_by_item_cny=items,
        warnings=(),
    )


def demand_result() -> demand.DemandResult:
    years = tuple(range(2021, 2032))
    units = tuple(round(124_000 * min(1.0, (year - 2020) / 6) * 0.98 ** max(0, year - 2027)) * 1.0 for year in years)
    market = tuple(21e6 * 1.02 ** (year - 2021) for year in years)

    def rival(rival_id: str, name: str, owner: Owner, at_first: float) -> demand.RivalResult:
        sold = tuple(at_first * 1.05 ** (year - 2021) for year in years)
        return demand.RivalResult(
            rival_id, name, owner, 1.2, at_first / 21e6, sold, tuple(0.03 * value for value in sold)
        )

    peak = max(units)
    return demand.DemandResult(
        years=years,
        units_per_year=units,
        share=tuple(one / all_of_them for one, all_of_them in zip(units, market, strict=True)),
        market_units_per_year=market,
        price_cny=tuple(149_900 * 0.985 ** (year - 2021) for year in years),
        guest_range_km=520.0,
        range_procedure=RangeProcedure.CLTC,
        price_elasticity=tuple(-2.4 for _ in years),
        range_elasticity=tuple(0.8 for _ in years),
        price_sensitivity_per_cny=1.7e-5,
        willingness_to_pay_cny_per_km=118.0,
        rivals=(
            rival("model-3", "Tesla Model 3 (Shanghai)", Owner.OTHER, 137_000),
            rival("han", "BYD Han EV", Owner.OTHER, 40_600),
            rival("ora-cat", "Ora Good Cat", Owner.HOST, 46_000),
            rival("p7", "XPeng P7", Owner.OTHER, 15_000),
            rival("aion-s", "GAC Aion S", Owner.OTHER, 45_600),
        ),
        outside_units_lost_per_year=tuple(0.7 * value for value in units),
        host_units_lost_per_year=tuple(0.06 * value for value in units),
        host_loss_share=0.06,
        peak_year=years[units.index(peak)],
        peak_units_per_year=peak,
    )


def announcement_result() -> announcement.AnnouncementResult:
    day = dt.date(2021, 3, 26)

    def share(
        name: str, side: Side, exchange: str, value: float, error: float, bound: str, worth: float
    ) -> announcement.ShareEventResult:
        low, high = value - 1.98 * error, value + 1.98 * error
        return announcement.ShareEventResult(
            share=name,
            name=name,
            side=side,
            exchange=exchange,
            date=day,
            last_date=day,
            days=1,
            abnormal_return=value,
            standard_error=error,
            t_statistic=value / error,
            degrees_of_freedom=118,
            p_value=0.08,
            is_significant=False,
            bound=bound,
            low=low,
            high=None if bound else high,
            limit_days=(day,) if bound else (),
            margin=1.98 * error,
            market_value_cny=worth,
            implied_value_cny=value * worth,
            implied_low_cny=low * worth,
            implied_high_cny=None if bound else high * worth,
        )

    shares = (
        share("Host, Shanghai", Side.HOST, "Shanghai", 0.0805, 0.0455, "at least", 1.7e11),
        share("Host, Hong Kong", Side.HOST, "Hong Kong", 0.078, 0.0448, "", 5.1e10),
        share("Brand, Hong Kong", Side.BRAND, "Hong Kong", 0.0451, 0.034, "", 5.2e11),
    )

    implied = (
        announcement.ImpliedValue(Side.BRAND, ("report",), ("brand",), 2.35e10, -1.2e10, 5.9e10, "", 5.2e11),
        announcement.ImpliedValue(Side.HOST, ("report",), ("a", "h"), 1.77e10, -2.1e9, None, "at least", 2.2e11),
    )
    return announcement.AnnouncementResult(
        as_of=day,
        events=(
            announcement.EventResult(
                "report", "The press reports the plan", day, "three-sources", True, shares, implied
            ),
        ),
        implied_values=implied,
        tests=3,
        significant=0,
        limit_closes=1,
        verdict="None of the abnormal returns is significant: the market's answer cannot be told from an ordinary day.",
    )


def comparisons() -> tuple[announcement.Comparison, ...]:
    found = []
    for item, npv in zip(announcement_result().implied_values, (2.31e9, 1.02e9), strict=True):
        found.append(
            announcement.Comparison(
                side=item.side,
                implied_value_cny=item.implied_value_cny,
                low_cny=item.low_cny,
                high_cny=item.high_cny,
                bound=item.bound,
                npv_cny=npv,
                probability=0.617,
                expected_value_cny=0.617 * npv,
                difference_cny=item.implied_value_cny - 0.617 * npv,
                is_compatible=True,
                believed_probability=None,
                believed_npv_cny=item.implied_value_cny / 0.617,
                sentence="The market paid more than the plan is worth; no probability of the news would justify it.",
            )
        )
    return tuple(found)


MODELS = ("h6", "ora-cat", "guest")
SEGMENTS = (("Trim one, interior and harness", "T", 24), ("Cockpit and glass", "C", 16), ("Chassis and marriage", "M", 26), ("Final, fluids and doors", "F", 30))


def line_balance(takt: float, mix: dict[str, float], units: dict[str, float], seed: int) -> balance.LineBalance:
    rng = np.random.default_rng(seed)
    stations, loads = [], []
    for segment, prefix, count in SEGMENTS:
        for number in range(1, count + 1):
            station = f"{prefix}{number:02d}"
            crew = int(rng.integers(1, 4)) if number % 9 else 0
            for operator in range(1, crew + 1):
                base = takt * rng.uniform(0.72, 1.0)
                load = {model: float(base * rng.uniform(0.9, 1.05)) for model in MODELS}
                loads.append(
                    balance.OperatorLoad(
                        station=station,
                        operator=operator,
                        lane=1,
                        zone="left front",
                        load_s=load,
                        weighted_load_s=sum(mix[model] * load[model] for model in MODELS),
                        tasks=("fit-seat", "fit-belt"),
                    )
                )
            stations.append(
                balance.StationLoad(
                    station, segment, 1, crew, dict.fromkeys(MODELS, takt * 0.9), takt * 0.9, takt, ("fit-seat",)
                )
            )
    hours = {"h6": 6.1, "ora-cat": 5.9, "guest": 5.6}
    return balance.LineBalance(
        takt_s=takt,
        units_per_year=units,
        mix=mix,
        stations_total=96,
        stations_used=sum(station.operators > 0 for station in stations),
        operators=len(loads),
        operators_lower_bound=len(loads) - 9,
        idle_share=0.112,
        smoothness=0.08,
        work_hours_per_car={model: value * 0.88 for model, value in hours.items()},
        direct_hours_per_car=hours,
        mean_direct_hours_per_car=5.98,
        stations=tuple(stations),
        operator_loads=tuple(loads),
        assignment=(balance.TaskPlace("fit-seat", "F03", (1, 2)), balance.TaskPlace("fit-belt", "F03", (1,))),
    )


def fit_result() -> balance.FitResult:
    before = line_balance(
        90.4, {"h6": 0.69, "ora-cat": 0.31, "guest": 0.0}, {"h6": 110e3, "ora-cat": 50e3, "guest": 0.0}, 5
    )
    after = line_balance(
        64.3, {"h6": 0.45, "ora-cat": 0.2, "guest": 0.35}, {"h6": 110e3, "ora-cat": 50e3, "guest": 86e3}, 6
    )
    return balance.FitResult(
        guest="guest",
        before=before,
        after=after,
        takt_s=after.takt_s,
        stations=after.stations_used,
        operators=after.operators,
        operators_added=after.operators - before.operators,
        idle_share=after.idle_share,
        hours_per_car=after.direct_hours_per_car,
        moved_tasks=tuple(
            balance.MovedTask(
                f"task-{number:03d}", f"Fit wiring clip no. {number} to the floor pan", "T03", "T05", 8.0 + number
            )
            for number in range(1, 42)
        ),
        resident_tasks=388,
        guest_only_tasks=61,
        resident_time_scale=1.0,
        guest_time_scale=1.05,
        net_hours_per_year=4150.0,
        planning_availability=0.95,
        evaluations=200_000,
    )


def party_result(sign: float, lines: dict[str, float], npv: float) -> deal.PartyResult:
    shape = np.array([-0.6, -1.3, -0.8, 0.1, 0.5, 0.8, 0.9, 0.9, 0.85, 0.8, 0.75])
    found = tuple(
        deal.CashLine(
            name, scale * (np.where(shape < 0, -shape, 0.0) if "invest" in name.lower() else np.clip(shape, 0, None))
        )
        for name, scale in lines.items()
    )
    cash = sum(line.cny_by_year for line in found) * sign
    return deal.PartyResult(
        npv_cny=npv,
        irr_shares=(0.182,) if sign > 0 else (0.1, 0.4),
        irr_note="" if sign > 0 else "the cash flow changes its sign more than once",
        payback_year=2027,
        peak_cash_need_cny=2.6e9,
        unused_tax_value_cny=0.0,
        lines=found,
        cash_cny_by_year=cash,
        cumulative_cash_cny_by_year=np.cumsum(cash),
        cash_cny_by_month=np.repeat(cash / 12, 12),
    )


def deal_result() -> deal.DealResult:
    years = tuple(range(2021, 2032))
    wanted = np.array([0, 0, 0, 62, 95, 124, 124, 121, 119, 117, 114]) * 1e3
    possible = np.array([0, 0, 0, 41, 84, 85, 85, 85, 85, 85, 85]) * 1e3
    brand = party_result(
        1.0,
        {
            "Net revenue": 10.2e9,
            "Parts": -7.1e9,
            "Fees to the host": -0.9e9,
            "Logistics": -0.2e9,
            "Warranty": -0.2e9,
            "Fixed cost": -0.5e9,
            "Investments": -1.2e9,
            "Working capital": -0.1e9,
            "Income tax": -0.25e9,
        },
        2.31e9,
    )
    host = party_result(
        1.0,
        {
            "Fees from the brand": 0.9e9,
            "Labour": -0.4e9,
            "Lost resident cars": -0.1e9,
            "Investments": -0.8e9,
            "Tax": -0.05e9,
        },
        1.02e9,
    )
    return deal.DealResult(
        years=years,
        sales_units_by_year=np.minimum(wanted, possible),
        demand_units_by_year=wanted,
        output_units_by_year=possible,
        demand_lost_units=212_000.0,
        sales_units=float(np.minimum(wanted, possible).sum()),
        brand=brand,
        host=host,
        joint=party_result(-1.0, {"Cash of both": 1.0e9, "Investments": -2.0e9}, 3.33e9),
        transfers_cny_by_year={"Fee per car": possible * 9_800, "Depreciation passed through": possible * 1_200},
        unit_cost=deal.UnitCost(
            year=2026,
            items_cny={
                "parts": 83_400.0,
                "labour": 3_900.0,
                "energy_and_consumables": 1_900.0,
                "logistics": 2_300.0,
                "warranty": 2_200.0,
                "rework": 310.0,
                "fixed_cost": 6_400.0,
                "investments": 4_800.0,
            },
            total_cny=105_210.0,
            net_revenue_cny=119_600.0,
            transfer_to_host_cny=11_000.0,
        ),
        break_even=deal.BreakEven(61_300.0, None, 500_000.0, "The host gains at no volume up to the limit."),
        own_plant=deal.OwnPlantResult(
            npv_cny=-1.42e9,
            start_month=44.0,
            units=521_000.0,
            unit_conversion_cost_cny=14_900.0,
            peak_cash_need_cny=7.9e9,
            advantage_over_contract_cny=-3.73e9,
            cash_cny_by_year=np.array([-1.2, -3.1, -2.4, -0.3, 0.2, 1.1, 1.4, 1.5, 1.5, 1.4, 2.6]) * 1e9,
        ),
    )


def timing_result() -> timing.Timing:
    return timing.Timing(dt.date(2023, 11, 14), 31.6, 31.6, 24.0, "development")


PATHS = (
    ("vehicle.battery.pack_cny_per_kwh", "CNY/kWh", 880.0, 0.22, "battery-survey", "named press source", 0.8),
    ("market.outside_good_units", "cars", 21e6, 0.1, "market-statistics", "company filing", 0.97),
    ("market.price_cny", "CNY", 149_900.0, 0.12, "mass-market-claim", "unnamed press sources", 0.617),
    ("deal.fee.first_tier_cny_per_car", "CNY per car", 9_800.0, 0.35, "nio-jac", "analogy", 0.65),
    ("deal.investment.conversion_cny", "CNY", 1.9e9, 0.3, "refit-cost", "analogy", 0.65),
    ("deal.months_to_start_of_production", "months", 27.0, 0.3, "first-car-2023", "unnamed press sources", 0.5),
    ("assembly.indirect_share", "fraction", 0.32, 0.5, "placeholder", "placeholder", 0.5),
    ("flow.shop[paint].mtbf_min", "min", 210.0, 0.5, "placeholder", "placeholder", 0.5),
    ("flow.shop[paint].mttr_min", "min", 9.0, 0.5, "placeholder", "placeholder", 0.5),
    ("vehicle.mass_kg", "kg", 1_760.0, 0.08, "peer-cars", "specification sheet", 0.95),
    ("vehicle.drag_coefficient", "", 0.27, 0.08, "peer-cars", "specification sheet", 0.95),
    ("market.price_elasticity", "", -2.4, 0.4, "choice-study", "analogy", 0.65),
    ("brand.discount_rate", "fraction", 0.11, 0.2, "analyst-note", "analyst", 0.65),
    ("host.discount_rate", "fraction", 0.09, 0.2, "analyst-note", "analyst", 0.65),
    ("deal.warranty_share", "fraction", 0.018, 0.4, "placeholder", "placeholder", 0.5),
    ("market.yearly_growth_share", "fraction", 0.21, 0.3, "analyst-note", "analyst", 0.65),
    ("deal.logistics_cny_per_car", "CNY per car", 2_300.0, 0.3, "placeholder", "placeholder", 0.5),
    ("vehicle.motor.peak_kw", "kW", 160.0, 0.1, "peer-cars", "specification sheet", 0.95),
)

EVIDENCE = {
    "placeholder": ("placeholder", "Nobody has looked yet.", "-", "2021-03-26", 0.5),
    "three-sources": (
        "unnamed press sources",
        "The brand plans to use the host's factories to build an electric car under its own badge.",
        "A news agency, 26 March 2021, three people with knowledge of the matter",
        "2021-03-26",
        0.617,
    ),
    "mass-market-claim": ("unnamed press sources", "The car is for the mass market.", "A news agency", "2021-03-26", 0.617),
    "first-car-2023": ("unnamed press sources", "The first car comes around 2023.", "A news agency", "2021-03-26", 0.5),
    "nio-jac": ("analogy", "Fees a car of a comparable contract: 12,000 to 21,000 CNY.", "Filings", "2020-12-31", 0.65),
    "refit-cost": ("analogy", "Refitting an old plant costs CNY 700-800 m.", "Press", "2020-06-30", 0.65),
    "battery-survey": ("named press source", "Packs cost 140 USD/kWh in 2020.", "A survey in the press", "2020-12-16", 0.8),
    "market-statistics": ("company filing", "The home market took 21 million cars.", "Statistics", "2021-01-13", 0.97),
    "peer-cars": ("specification sheet", "=Cars of this size weigh 1,700 to 1,850 kg.", "Spec sheets", "2021-01-01", 0.95),
    "choice-study": ("analogy", "Price elasticities of car buyers lie between -1.5 and -3.5.", "Studies", "2019-01-01", 0.65),
    "analyst-note": ("analyst", "Car makers' cost of capital is 8 to 12 %.", "A broker", "2021-02-01", 0.65),
}


def risk_result() -> risk.RiskResult:
    rng = np.random.default_rng(3)
    brand = rng.normal(1.9e9, 4.1e9, 1000) + 6e8 * rng.standard_exponential(1000)
    host = rng.normal(1.1e9, 0.9e9, 1000)

    def spread(name: str, values: np.ndarray, base: float) -> risk.FigureSpread:
        low, middle, high = np.percentile(values, [10, 50, 90])
        share = float(np.mean(values > 0))
        return risk.FigureSpread(name, base, float(low), float(middle), float(high), float(values.mean()), share, 0)

    figures = (
        spread("brand_npv_cny", brand, 2.31e9),
        spread("host_npv_cny", host, 1.02e9),
        spread("joint_npv_cny", brand + host, 3.33e9),
        spread("own_plant_npv_cny", brand - 3.4e9, -1.42e9),
        spread("guest_capacity_units_per_year", rng.normal(84e3, 6e3, 1000), 84_900.0),
        spread("plant_jph", rng.normal(54, 2, 1000), 54.3),
        spread("months_to_start", rng.normal(31.6, 5, 1000), 31.6),
        spread("unit_cost_cny", rng.normal(105e3, 9e3, 1000), 105_210.0),
        spread("wltp_range_km", rng.normal(432, 21, 1000), 432.0),
        risk.FigureSpread("break_even_host_units_per_year", None, None, None, None, None, None, 1000),
    )
    swings = np.sort(rng.uniform(0.1, 1.0, len(PATHS)))[::-1]
    assumptions = tuple(
        risk.AssumptionInfluence(
            path=path,
            evidence=evidence,
            low=value * (1 - half),
            high=value * (1 + half),
            brand_npv_at_low_cny=2.31e9 + sign * 2.4e9 * swing,
            brand_npv_at_high_cny=2.31e9 - sign * 2.1e9 * swing,
            host_npv_at_low_cny=1.02e9 - sign * 0.5e9 * swing,
            host_npv_at_high_cny=1.02e9 + sign * 0.6e9 * swing,
            brand_variance_share=0.3 * swing**2,
            host_variance_share=0.2 * swing**2,
            joint_variance_share=0.25 * swing**2,
        )
        for (path, _, value, half, evidence, _, _), swing, sign in zip(
            PATHS, swings, (1, -1, -1, 1, 1, 1) * 3, strict=True
        )
    )
    evidence = tuple(
        risk.EvidenceInfluence(
            evidence=name,
            kind=kind,
            claim=claim,
            probability=probability,
            assumptions=tuple(path for path, *_, of, _, _ in PATHS if of == name),
            brand_npv_if_false_cny=2.31e9 - 3.2e9 / rank,
            host_npv_if_false_cny=1.02e9 - 0.7e9 / rank,
            joint_npv_if_false_cny=3.33e9 - 3.9e9 / rank,
            turns_brand=rank < 2,
            turns_host=False,
            turns_joint=rank < 2,
            brand_variance_share=0.3 / rank,
            host_variance_share=0.2 / rank,
            joint_variance_share=0.26 / rank,
            is_switch=name == "three-sources",
        )
        for rank, (name, (kind, claim, _, _, probability)) in enumerate(EVIDENCE.items(), start=1)
    )
    return risk.RiskResult(
        draws=1000,
        seed=1,
        partnership_probability=0.617,
        brand_expected_npv_cny=1.5e9,
        host_expected_npv_cny=0.68e9,
        both_gain_probability=0.58,
        figures=figures,
        assumptions=assumptions,
        evidence=evidence,
        brand_npv_cny=brand,
        host_npv_cny=host,
    )


def programme() -> Any:
    return SimpleNamespace(
        as_of=dt.date(2021, 3, 26),
        seed=1,
        document=SimpleNamespace(
            programme=SimpleNamespace(
                title="A phone maker's first electric car in a car maker's plant",
                description="The case that the press reported.",
                rests_on="three-sources",
                horizon_years=10,
            ),
            brand=SimpleNamespace(name="Xiaomi"),
            host=SimpleNamespace(name="Great Wall Motor"),
        ),
        plant=SimpleNamespace(
            plant=SimpleNamespace(name="Xushui works"),
            model=(
                SimpleNamespace(id="h6", name="Haval H6"),
                SimpleNamespace(id="ora-cat", name="Ora Good Cat"),
                SimpleNamespace(id="guest", name="Guest car"),
            ),
        ),
        guest=SimpleNamespace(id="guest", name="Guest car"),
        residents=(SimpleNamespace(id="h6", name="Haval H6"), SimpleNamespace(id="ora-cat", name="Ora Good Cat")),
    )


def plan() -> Any:
    stages = ("vehicle", "demand", "fit", "sequence", "flow", "timing", "deal", "announcement")
    return SimpleNamespace(
        programme=programme(),
        fit=fit_result(),
        flow=flow_result(),
        timing=timing_result(),
        deal=deal_result(),
        vehicle=vehicle_result(),
        demand=demand_result(),
        planned_guest_units_per_year=86_000.0,
        announcement=announcement_result(),
        comparison=comparisons(),
        headline={
            "brand_npv_cny": 2.31e9,
            "host_npv_cny": 1.02e9,
            "joint_npv_cny": 3.33e9,
            "guest_units_per_year": 86_000.0,
            "unit_cost_cny": 117_400.0,
        },
        register=tuple(
            SimpleNamespace(
                id=name,
                kind=kind,
                claim=claim,
                source=source,
                date=dt.date.fromisoformat(date),
                sources_count=1,
                supports=(),
                denies=(),
                probability=probability,
                assumptions_count=sum(of == name for *_, of, _, _ in PATHS),
            )
            for name, (kind, claim, source, date, probability) in EVIDENCE.items()
        ),
        assumptions=tuple(
            SimpleNamespace(
                path=path,
                unit=unit,
                value=value,
                low=min(value * (1 - half), value * (1 + half)),
                high=max(value * (1 - half), value * (1 + half)),
                stated_range=index % 2 == 0,
                is_default=index % 7 == 0,
                evidence=evidence,
                kind=kind,
                probability=probability,
                stages=("vehicle", "deal"),
            )
            for index, (path, unit, value, half, evidence, kind, probability) in enumerate(PATHS)
        ),
        hidden_evidence=("denial", "own-company"),
        trace={stage: tuple(path for path, *_ in PATHS) for stage in stages},
    )


RUN = {"started": "2021-03-26T09:00:00", "wall_s": 12.3, "version": "0.1.0", "programme_folder": "examples/phone-maker-ev"}
