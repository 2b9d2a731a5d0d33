// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
// A set of UIDs or sequence numbers as ranges: what SEARCH finds and VANISHED takes away. A set that covers
// a whole folder costs eight octets.
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace syncline::imap {

using Uid = std::uint32_t;

class UidSet {
 public:
  struct Range {
    Uid first = 0;
    Uid last = 0;  ///< inclusive
    friend bool operator==(const Range&, const Range&) = default;
  };

  UidSet() = default;
  /// sequence-set of RFC 9051, section 9, without "*": "1:5,9,20:18". nullopt for anything else, for 0, and
  /// for more than `most_ranges`.
  static std::optional<UidSet> parse(std::string_view text, std::size_t most_ranges);
  static UidSet of(std::vector<Uid> uids);
  static UidSet range(Uid first, Uid last);

  /// Ends in either order. Cheap where ranges come in ascending order.
  void add(Uid first, Uid last);
  void add(Uid uid) { add(uid, uid); }
  void add(const UidSet& other);

  bool empty() const noexcept { return ranges_.empty(); }
  std::uint64_t size() const noexcept;
  bool contains(Uid uid) const noexcept;
  Uid highest() const noexcept { return ranges_.empty() ? 0 : ranges_.back().last; }
  const std::vector<Range>& ranges() const noexcept { return ranges_; }
  /// What is in this set and not in `other`.
  UidSet without(const UidSet& other) const;
  UidSet and_also(const UidSet& other) const;
  /// The `most` highest.
  UidSet top(std::uint64_t most) const;
  /// Ascending, at most `most` of them.
  std::vector<Uid> uids(std::size_t most) const;
  /// "1:5,9"; empty for the empty set.
  std::string to_string() const;

  friend bool operator==(const UidSet&, const UidSet&) = default;

 private:
  void normalise();
  std::vector<Range> ranges_;  ///< ascending, neither overlapping nor adjacent
};

}  // namespace syncline::imap
