// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
// Fields of a header that is written: encoded, folded, and never more than the one field that was asked for.
#include <span>
#include <string>
#include <string_view>
#include <utility>

#include "base/error.hpp"
#include "mime/gmime_grammar.hpp"

namespace syncline::mime {

class HeaderWriter {
 public:
  /// `utf8`: RFC 6532, no encoded words.
  explicit HeaderWriter(bool utf8) : utf8_(utf8) {}

  /// A text for people; control characters become spaces.
  void unstructured(std::string_view name, std::string_view text);
  /// Addresses must have passed check_address(). An empty list writes nothing.
  void addresses(std::string_view name, std::span<const Mailbox> mailboxes);
  /// Words of printable ASCII (or UTF-8), folded between them: ids, dates.
  void words(std::string_view name, std::span<const std::string> words);
  /// `value` and parameters (RFC 2231).
  void with_parameters(std::string_view name, std::string_view value,
                       std::span<const std::pair<std::string, std::string>> parameters);
  /// The empty line.
  void end() { out_ += "\r\n"; }

  const std::string& octets() const noexcept { return out_; }

 private:
  void begin(std::string_view name);
  void token(std::string_view token, std::string_view blank = " ");
  void phrase(std::string_view text);
  void encoded_words(std::string_view text);
  void finish_field() { out_ += "\r\n"; }

  bool utf8_;
  std::string out_ = {};
  std::size_t column_ = 0;
  bool is_first_ = true;
};

/// What may stand in a header: controls as spaces, valid UTF-8, no blanks at the ends.
std::string header_text(std::string_view text);

/// Errors: "bad-address", "needs-smtputf8" (not `utf8` and the local part is not ASCII), with the field's
/// name.
Result<void> check_address(std::string_view field, const Mailbox& mailbox, bool utf8);

}  // namespace syncline::mime
