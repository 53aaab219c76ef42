//! Circles in dependencies.

/// The sentence about a circle, from the names of those in it.
pub(crate) fn tell_circle(names: &[String]) -> String {
    let mut words: Vec<&str> = names.iter().map(String::as_str).collect();
    words.extend(words.first().copied());
    format!("dependencies.d: the dependencies run in a circle: {}", words.join(", "))
}

/// The circles of a dependency graph: each as its members, every one after the one that needs it.
pub(crate) fn circles(after: &[Vec<usize>]) -> Vec<Vec<usize>> {
    #[derive(Clone, Copy, PartialEq)]
    enum Mark {
        Unseen,
        OnPath,
        Seen,
    }
    let mut marks = vec![Mark::Unseen; after.len()];
    let mut circles = Vec::new();
    for root in 0..after.len() {
        // (service, how many of its dependencies were walked)
        let mut path: Vec<(usize, usize)> = vec![(root, 0)];
        if marks.get(root) != Some(&Mark::Unseen) {
            continue;
        }
        while let Some((id, walked)) = path.last_mut() {
            let (id, next) = (*id, after.get(*id).and_then(|list| list.get(*walked)).copied());
            *walked += 1;
            let Some(next) = next else {
                path.pop();
                set(&mut marks, id, Mark::Seen);
                continue;
            };
            set(&mut marks, id, Mark::OnPath);
            match marks.get(next) {
                Some(Mark::OnPath) => {
                    circles.push(path.iter().map(|&(id, _)| id).skip_while(|&id| id != next).collect());
                }
                Some(Mark::Unseen) => path.push((next, 0)),
                Some(Mark::Seen) | None => {}
            }
        }
    }
    fn set(marks: &mut [Mark], id: usize, mark: Mark) {
        if let Some(slot) = marks.get_mut(id) {
            *slot = mark;
        }
    }
    circles
}

#[cfg(test)]
mod tests {
    use super::circles;

    #[test]
    fn circles_are_found_and_named() {
        assert_eq!(circles(&[vec![1], vec![2], vec![]]), Vec::<Vec<usize>>::new());
        assert_eq!(circles(&[vec![1, 2], vec![2], vec![]]), Vec::<Vec<usize>>::new());
        assert_eq!(circles(&[vec![0]]), [[0]]);
        assert_eq!(circles(&[vec![1], vec![2], vec![1], vec![0]]), [[1, 2]]);
        assert_eq!(circles(&[vec![1], vec![0], vec![3], vec![2]]), [[0, 1], [2, 3]]);
    }
}
