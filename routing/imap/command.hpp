// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
// One command as it goes to the server: pieces of text, with literals where a text cannot be quoted. What
// comes from outside (names, keywords, addresses) can never become a second command.
#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.hpp"
#include "base/secret.hpp"
#include "routing/imap/uid_set.hpp"

namespace syncline::imap {

/// Octets of a known size that are read as they are sent; 0 at the end.
using ReadOctets = std::function<Result<std::size_t>(std::span<std::byte>)>;

class Command {
 public:
  /// `words`: our own text, "UID FETCH". The tag is the session's.
  explicit Command(std::string_view words);
  ~Command();
  Command(Command&&) noexcept = default;
  Command& operator=(Command&&) noexcept = default;
  Command(const Command&) = delete;
  Command& operator=(const Command&) = delete;

  /// A blank and our own text: numbers, items, keywords of the protocol.
  Command& word(std::string_view text) { return raw(" ").raw(text); }
  /// Our own text, as it is.
  Command& raw(std::string_view text);
  /// A blank (not behind "(") and any text: quoted, or as a literal.
  Command& string(std::string_view text);
  /// The same of a secret: the command is wiped when it goes, and never logged.
  Command& secret(const Secret& text);
  /// A blank and a SASL response in base64, which is a secret too.
  Command& initial_response(const Secret& base64);
  /// A blank and octets of a message, read while they are sent.
  Command& stream(std::uint64_t octets, ReadOctets read);

  struct Piece {
    std::string text = {};     ///< what goes before the literal
    bool has_literal = false;  ///< "{n}" is written behind the text, then
    std::string literal = {};  ///< these octets,
    std::uint64_t octets = 0;  ///< or so many
    ReadOctets read = {};      ///< from here
  };
  const std::vector<Piece>& pieces() const noexcept { return pieces_; }
  std::vector<Piece>& pieces() noexcept { return pieces_; }
  bool is_secret() const noexcept { return secret_; }
  /// The first words, for errors: "UID FETCH".
  const std::string& name() const noexcept { return name_; }
  /// Error input "bad-text" (never): a text with NUL octets, which IMAP cannot say.
  Result<void> check() const;

 private:
  std::vector<Piece> pieces_;
  std::string name_;
  bool secret_ = false;
  bool has_nul_ = false;
};

/// A flag or keyword that may stand in a command: "\Seen", "$Forwarded".
bool is_flag(std::string_view flag) noexcept;

}  // namespace syncline::imap
