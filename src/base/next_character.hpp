// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
// Where one character stands next in a text that is read from its beginning to its end: each octet is looked
// at once for it, however often is asked.
#include <algorithm>
#include <cstddef>
#include <string_view>

namespace syncline::text {

class NextCharacter {
 public:
  NextCharacter(std::string_view text, char wanted) : text_(text), wanted_(wanted) {}
  /// At or behind `at`, which never goes back; the text's size: nowhere.
  std::size_t from(std::size_t at) {
    if (place_ < at || !known_) place_ = std::min(text_.find(wanted_, at), text_.size());
    known_ = true;
    return place_;
  }

 private:
  std::string_view text_;
  char wanted_;
  bool known_ = false;
  std::size_t place_ = 0;
};

}  // namespace syncline::text
