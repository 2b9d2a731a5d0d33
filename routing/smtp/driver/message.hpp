// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
// The text of a message, as whoever composes it (src/mime) hands it over.
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "net/body.hpp"
#include "routing/message/operation_mark.hpp"
#include "sync/driver.hpp"

namespace syncline::smtp {

struct ComposeWish {
  std::string message_id = {};     ///< "<…>"
  SystemTime date{};               ///< of the Date field
  bool allow_eight_bit = false;    ///< else quoted-printable or base64 where octets above 127 are
  bool allow_utf8_header = false;  ///< RFC 6532; else RFC 2047 and 2231
  bool with_bcc = false;           ///< the sender's own copy names them, no other does
};

struct Message {
  std::unique_ptr<sync::ContentSource> text = nullptr;
  bool eight_bit = false;  ///< it has octets above 127
  bool utf8_header = false;
};

/// Makes the text of an order, the same each time but for what the wish says, with `mail::operation_header`
/// in it. Errors: domain input, never, for what cannot be a message.
using Compose = std::function<Result<Message>(const sync::WriteOrder& order, const ComposeWish& wish,
                                              const sync::OpenContent& content)>;

/// A text of the content store as the transport wants it.
class MessageSource final : public net::Source {
 public:
  explicit MessageSource(sync::ContentSource& text) : text_(text) {}
  net::Async<std::size_t> read(std::span<std::byte> buffer) override;
  Result<void> rewind() override { return text_.rewind(); }
  std::optional<std::uint64_t> size() const override { return text_.size(); }

 private:
  sync::ContentSource& text_;
};

/// Everybody in toRecipients, ccRecipients and bccRecipients, each once, in their order.
std::vector<std::string> recipients_of(const model::Fields& fields);
/// The order's own Message-ID, or one made of the operation's id and the sender's domain.
std::string message_id_for(const sync::WriteOrder& order, std::string_view sender);

}  // namespace syncline::smtp
