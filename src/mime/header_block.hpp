// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
// The header of a message or of a part: fields as they stood, unfolded.
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "mime/defects.hpp"
#include "mime/limits.hpp"

namespace syncline::mime {

struct HeaderField {
  std::string name = {};   ///< as written
  std::string value = {};  ///< octets, unfolded, without NUL; not decoded
  friend bool operator==(const HeaderField&, const HeaderField&) = default;
};

/// What a line at the start of a line is.
enum class HeaderLine : std::uint8_t { field, continuation, blank, other };
/// `line` without its line end.
HeaderLine header_line_kind(std::string_view line) noexcept;

class HeaderBlock {
 public:
  explicit HeaderBlock(const Limits& limits = {}) : limits_(limits) {}

  /// A line of the header, without its line end: a field or a continuation (passed over where there is
  /// nothing to continue).
  void add_line(std::string_view line);

  const std::vector<HeaderField>& fields() const noexcept { return fields_; }
  std::vector<HeaderField> take_fields() { return std::move(fields_); }
  /// The first field of the name; nullptr: none.
  const std::string* find(std::string_view name) const noexcept;
  std::size_t count(std::string_view name) const noexcept;
  const Defects& defects() const noexcept { return defects_; }
  bool empty() const noexcept { return fields_.empty(); }

 private:
  void append(std::string& value, std::string_view octets);

  Limits limits_;
  std::vector<HeaderField> fields_ = {};
  std::size_t octets_ = 0;
  bool dropping_ = false;  ///< the last field was dropped, so are its continuations
  Defects defects_ = {};
};

/// The fields of a header that is whole in memory (a delivery report's group, an attached message's); ends at
/// the first blank line. `rest`, if given: what follows it.
HeaderBlock read_header(std::string_view octets, const Limits& limits, std::string_view* rest = nullptr);

}  // namespace syncline::mime
