// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
// A secret in memory: wiped when it goes, never printed. There is no operator<< and no implicit conversion.
#include <string>
#include <string_view>

namespace syncline {

class Secret {
 public:
  Secret() = default;
  /// Takes the text over and wipes the argument's buffer.
  explicit Secret(std::string&& text);
  explicit Secret(std::string_view text) : text_(text) {}
  Secret(const Secret&) = default;
  Secret(Secret&& other) noexcept;
  Secret& operator=(const Secret& other);
  Secret& operator=(Secret&& other) noexcept;
  ~Secret();

  bool empty() const noexcept { return text_.empty(); }
  /// The plain text. Callers must not keep copies longer than the call they make with it.
  std::string_view reveal() const noexcept { return text_; }

 private:
  std::string text_;
};

/// Overwrites the buffer in a way the compiler keeps, and empties it.
void wipe(std::string& text) noexcept;

}  // namespace syncline
