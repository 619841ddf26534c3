use super::*;

/// Hours of `days` days of a zone with `per_day` events, most of them at night, drawn with a fixed seed.
fn quiet(days: i64, per_day: f64, seed: u64) -> Vec<u32> {
    let mut state = seed;
    let mut unit = move || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        f64::from((state >> 40) as u32) / f64::from(1_u32 << 24)
    };
    let night = |hour: i64| if (hour % 24) < 6 { 2.5 } else { 0.5 };
    let poisson = move |hour: i64| counts::Counts { mean: per_day / 24.0 * night(hour), shape: 20.0 }.quantile(unit());
    (0..days * 24).map(poisson).collect()
}

fn run(counts: &[u32], settings: &Settings) -> Vec<Warning> {
    let mut watch = Watch::default();
    let mut warnings = Vec::new();
    for (bucket, &count) in (0..).zip(counts) {
        warnings.extend(watch.observe(settings, bucket, &[Observation { zone: "north", count, exposure: 1.0 }]));
    }
    warnings
}

#[test]
fn a_quiet_half_year_gives_hardly_a_warning() {
    let settings = Settings::default();
    let warnings: usize = (1..=6).map(|seed| run(&quiet(180, 6.0, seed), &settings).len()).sum();
    assert!(warnings <= 6, "{warnings} in three zone-years");
}

#[test]
fn a_ramp_is_found_within_a_day_in_the_first_week_and_after_months() {
    for day in [6, 100] {
        let mut counts = quiet(day + 4, 6.0, 5);
        let first = usize::try_from(day * 24).unwrap();
        for (hours, count) in counts[first..].iter_mut().enumerate() {
            *count += u32::try_from(hours / 6).unwrap().min(4);
        }
        let settings = Settings::default();
        let found = run(&counts, &settings).into_iter().find(|warning| warning.bucket >= day * 24).expect("a warning");
        assert!(found.bucket < (day + 1) * 24, "found {} h after it began", found.bucket - day * 24);
        assert_eq!(found.method == Method::Cusum, day >= 56);
        assert!(f64::from(found.count) > 2.0 * found.expected, "{found:?}");
    }
}

#[test]
fn a_surge_is_one_warning_and_leaves_the_baseline_alone() {
    let settings = Settings::default();
    let mut counts = quiet(110, 6.0, 7);
    for count in &mut counts[80 * 24..83 * 24] {
        *count += 2;
    }
    let mut watch = Watch::default();
    let mut warnings = 0;
    let mut expected = Vec::new();
    for (bucket, &count) in (0..).zip(&counts) {
        warnings += watch.observe(&settings, bucket, &[Observation { zone: "north", count, exposure: 1.0 }]).len();
        if bucket == 79 * 24 + 12 || bucket == 95 * 24 + 12 {
            let day = bucket..bucket + 24;
            expected.push(day.map(|hour| watch.expected(&settings, "north", hour).unwrap()).sum::<f64>());
        }
    }
    assert_eq!(warnings, 1);
    assert!((expected[1] / expected[0] - 1.0).abs() < 0.2, "{expected:?}");
}

#[test]
fn a_level_that_stays_becomes_the_new_normal() {
    let settings = Settings::default();
    let mut counts = quiet(140, 6.0, 9);
    for count in &mut counts[70 * 24..] {
        *count += 1;
    }
    let mut watch = Watch::default();
    for (bucket, &count) in (0..).zip(&counts) {
        watch.observe(&settings, bucket, &[Observation { zone: "north", count, exposure: 1.0 }]);
        if bucket == 75 * 24 {
            assert!(watch.is_surging("north"));
        }
    }
    assert!(!watch.is_surging("north"));
}

#[test]
fn hours_watched_by_half_the_sensors_count_double() {
    let settings = Settings::default();
    let counts = quiet(60, 12.0, 3);
    let mut watch = Watch::default();
    for (bucket, &count) in (0..).zip(&counts) {
        let halves = [("full", count, 1.0), ("half", count / 2, 0.5)];
        let seen = halves.map(|(zone, count, exposure)| Observation { zone, count, exposure });
        watch.observe(&settings, bucket, &seen);
    }
    let [full, half] = ["full", "half"].map(|zone| watch.expected(&settings, zone, 60 * 24 + 2).unwrap());
    assert!((0.5..1.2).contains(&(half / full)), "{half} against {full}");
    assert!(watch.observe(&settings, 60 * 24, &[Observation { zone: "full", count: 99, exposure: 0.0 }]).is_empty());
}

#[test]
fn zones_are_judged_together() {
    let warning = |zone: &str, chance: f64| Warning {
        zone: zone.to_owned(),
        bucket: 1,
        buckets: 1,
        count: 1,
        expected: 0.1,
        chance,
        method: Method::Bound,
    };
    let pass = |chances: &[f64]| {
        let mut suspects: Vec<Warning> = chances.iter().map(|&chance| warning("z", chance)).collect();
        discoveries(&mut suspects, 1e-4, 10);
        suspects.len()
    };
    assert_eq!(pass(&[1.5e-4]), 0);
    assert_eq!(pass(&[0.9e-4]), 1);
    assert_eq!(pass(&[1.9e-4, 1.5e-4]), 2, "two together support each other");
    assert_eq!(pass(&[4e-4, 0.9e-4]), 1);
}

#[test]
fn what_it_remembers_survives_a_restart() {
    let settings = Settings::default();
    let counts = quiet(80, 6.0, 11);
    let mut whole = Watch::default();
    let mut parts = Watch::default();
    for (bucket, &count) in (0..).zip(&counts) {
        let seen = [Observation { zone: "north", count: count * (1 + u32::from(bucket > 70 * 24)), exposure: 1.0 }];
        let expected = whole.observe(&settings, bucket, &seen);
        if bucket % 100 == 0 {
            parts = rmp_serde::from_slice(&rmp_serde::to_vec_named(&parts).unwrap()).unwrap();
        }
        assert_eq!(parts.observe(&settings, bucket, &seen), expected);
    }
}

#[test]
fn garbage_is_left_out() {
    let settings = Settings::default();
    let mut watch = Watch::default();
    for exposure in [f64::NAN, f64::INFINITY, -1.0, 0.0] {
        assert!(watch.observe(&settings, 5, &[Observation { zone: "z", count: u32::MAX, exposure }]).is_empty());
    }
    watch.observe(&settings, 5, &[Observation { zone: "z", count: 1, exposure: 1.0 }]);
    assert!(watch.observe(&settings, 4, &[Observation { zone: "z", count: 1_000, exposure: 1.0 }]).is_empty());
}

#[test]
fn counts_of_billions_are_added_up_as_far_as_numbers_go() {
    let settings = Settings::default();
    let mut counts = quiet(70, 6.0, 13);
    counts.extend([4_000_000_000; 48]);
    counts.extend(quiet(20, 6.0, 17));
    let found = run(&counts, &settings).into_iter().find(|warning| warning.count >= 4_000_000_000);
    assert_eq!(found.map(|warning| warning.bucket), Some(70 * 24));
    assert_eq!(run(&[4_000_000_000; 48], &settings).first().map(|warning| warning.bucket), Some(0));
}
