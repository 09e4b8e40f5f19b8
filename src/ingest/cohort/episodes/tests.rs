use super::*;

fn stay(row: usize, start: i64, end: Option<i64>) -> Stay {
    Stay { row, start, end }
}

fn runs(stays: &[Stay], gap: i64) -> Vec<Vec<usize>> {
    episodes(stays, gap).map(|run| run.iter().map(|stay| stay.row).collect()).collect()
}

#[test]
fn a_stay_continues_the_episode_if_it_begins_within_the_gap_after_all_before_it() {
    let stays = [stay(0, 0, Some(10)), stay(1, 14, Some(20)), stay(2, 25, Some(30)), stay(3, 36, Some(40))];
    assert_eq!(runs(&stays, 5), [vec![0, 1, 2], vec![3]]);
    assert_eq!(runs(&stays, 3), [vec![0], vec![1], vec![2], vec![3]]);
    // The gap counts from the latest end, which need not be that of the stay before.
    let nested = [stay(0, 0, Some(100)), stay(1, 10, Some(20)), stay(2, 103, Some(110))];
    assert_eq!(runs(&nested, 5), [vec![0, 1, 2]]);
    assert_eq!(runs(&[], 5), Vec::<Vec<usize>>::new());
}

#[test]
fn nothing_is_joined_to_a_stay_without_an_end() {
    let stays = [stay(0, 0, Some(10)), stay(1, 12, None), stay(2, 13, Some(20)), stay(3, 21, None)];
    assert_eq!(runs(&stays, 5), [vec![0, 1], vec![2, 3]]);
}
