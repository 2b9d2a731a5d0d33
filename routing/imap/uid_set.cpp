// SPDX-License-Identifier: GPL-3.0-or-later
#include "routing/imap/uid_set.hpp"

#include <algorithm>
#include <charconv>

namespace syncline::imap {
namespace {

/// A number of 32 bits at the front of `text`, which is shortened by it; 0: there is none.
Uid take_number(std::string_view& text) {
  Uid value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc()) return 0;
  text.remove_prefix(static_cast<std::size_t>(end - text.data()));
  return value;
}

}  // namespace

std::optional<UidSet> UidSet::parse(std::string_view text, std::size_t most_ranges) {
  UidSet set;
  bool ascending = true;
  for (;;) {
    const Uid first = take_number(text);
    if (first == 0) return std::nullopt;
    Uid last = first;
    if (text.starts_with(':')) {
      text.remove_prefix(1);
      last = take_number(text);
      if (last == 0) return std::nullopt;
    }
    const Range range{std::min(first, last), std::max(first, last)};
    if (!set.ranges_.empty() && range.first <= set.ranges_.back().last) ascending = false;
    if (ascending && !set.ranges_.empty() && range.first - set.ranges_.back().last == 1)
      set.ranges_.back().last = range.last;
    else if (set.ranges_.size() < most_ranges)
      set.ranges_.push_back(range);
    else
      return std::nullopt;
    if (text.empty()) break;
    if (!text.starts_with(',')) return std::nullopt;
    text.remove_prefix(1);
  }
  if (!ascending) set.normalise();
  return set;
}

UidSet UidSet::of(std::vector<Uid> uids) {
  std::sort(uids.begin(), uids.end());
  UidSet set;
  for (const Uid uid : uids) set.add(uid);
  return set;
}

UidSet UidSet::range(Uid first, Uid last) {
  UidSet set;
  set.add(first, last);
  return set;
}

void UidSet::add(Uid first, Uid last) {
  if (first > last) std::swap(first, last);
  if (ranges_.empty() || first > ranges_.back().last) {
    if (!ranges_.empty() && first - ranges_.back().last == 1)
      ranges_.back().last = last;
    else
      ranges_.push_back({first, last});
    return;
  }
  // The ranges that the new one touches become one with it.
  auto begin = std::lower_bound(ranges_.begin(), ranges_.end(), first, [](const Range& range, Uid uid) {
    return range.last < uid && uid - range.last > 1;
  });
  auto end = begin;
  Range joined{first, last};
  while (end != ranges_.end() && (end->first <= joined.last || end->first - joined.last == 1)) {
    joined.first = std::min(joined.first, end->first);
    joined.last = std::max(joined.last, end->last);
    ++end;
  }
  if (begin == end) {
    ranges_.insert(begin, joined);
  } else {
    *begin = joined;
    ranges_.erase(begin + 1, end);
  }
}

void UidSet::add(const UidSet& other) {
  if (other.empty()) return;
  const bool behind = ranges_.empty() || other.ranges_.front().first > ranges_.back().last;
  ranges_.insert(ranges_.end(), other.ranges_.begin(), other.ranges_.end());
  if (!behind || ranges_.size() > other.ranges_.size()) normalise();
}

void UidSet::normalise() {
  std::sort(ranges_.begin(), ranges_.end(), [](const Range& a, const Range& b) { return a.first < b.first; });
  std::size_t kept = 0;
  for (std::size_t i = 1; i < ranges_.size(); ++i) {
    Range& last = ranges_[kept];
    if (ranges_[i].first <= last.last || ranges_[i].first - last.last == 1)
      last.last = std::max(last.last, ranges_[i].last);
    else
      ranges_[++kept] = ranges_[i];
  }
  if (!ranges_.empty()) ranges_.resize(kept + 1);
}

std::uint64_t UidSet::size() const noexcept {
  std::uint64_t count = 0;
  for (const Range& range : ranges_) count += std::uint64_t{range.last} - range.first + 1;
  return count;
}

bool UidSet::contains(Uid uid) const noexcept {
  const auto range = std::lower_bound(ranges_.begin(), ranges_.end(), uid,
                                      [](const Range& one, Uid value) { return one.last < value; });
  return range != ranges_.end() && range->first <= uid;
}

UidSet UidSet::without(const UidSet& other) const {
  UidSet left;
  auto taken = other.ranges_.begin();
  for (Range range : ranges_) {
    while (taken != other.ranges_.end() && taken->last < range.first) ++taken;
    auto cut = taken;
    bool used_up = false;
    for (; cut != other.ranges_.end() && cut->first <= range.last; ++cut) {
      if (cut->first > range.first) left.ranges_.push_back({range.first, cut->first - 1});
      if (cut->last >= range.last) {
        used_up = true;
        break;
      }
      range.first = cut->last + 1;
    }
    if (!used_up) left.ranges_.push_back(range);
  }
  return left;
}

UidSet UidSet::and_also(const UidSet& other) const {
  return without(without(other));
}

UidSet UidSet::top(std::uint64_t most) const {
  UidSet highest;
  for (auto range = ranges_.rbegin(); range != ranges_.rend() && most > 0; ++range) {
    const std::uint64_t count = std::min<std::uint64_t>(most, std::uint64_t{range->last} - range->first + 1);
    highest.ranges_.push_back({static_cast<Uid>(range->last - (count - 1)), range->last});
    most -= count;
  }
  std::reverse(highest.ranges_.begin(), highest.ranges_.end());
  return highest;
}

std::vector<Uid> UidSet::uids(std::size_t most) const {
  std::vector<Uid> list;
  list.reserve(static_cast<std::size_t>(std::min<std::uint64_t>(most, size())));
  for (const Range& range : ranges_) {
    for (Uid uid = range.first; list.size() < most; ++uid) {
      list.push_back(uid);
      if (uid == range.last) break;
    }
    if (list.size() >= most) break;
  }
  return list;
}

std::string UidSet::to_string() const {
  std::string text;
  for (const Range& range : ranges_) {
    if (!text.empty()) text += ',';
    text += std::to_string(range.first);
    if (range.last != range.first) {
      text += ':';
      text += std::to_string(range.last);
    }
  }
  return text;
}

}  // namespace syncline::imap
