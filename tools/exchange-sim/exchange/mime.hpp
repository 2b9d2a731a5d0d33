// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
// Internet messages, as far as a mail store must understand them: headers to properties, bodies, attachments,
// and back. Tolerant: any octets are a message; what cannot be understood is left out.
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "tools/exchange-sim/exchange/calendar_time.hpp"
#include "tools/exchange-sim/exchange/state.hpp"

namespace exchange_sim {

struct MailAddress {
  std::string name;
  std::string address;
};

struct MailPart {
  std::string content_type;  ///< lower case, without parameters
  std::string name;
  std::string content_id;
  std::string content;  ///< decoded
  bool is_inline = false;
};

struct ParsedMail {
  std::vector<std::pair<std::string, std::string>> headers;  ///< unfolded, decoded, in order
  std::string subject;
  std::vector<MailAddress> from, sender, to, cc, bcc, reply_to;
  std::optional<Seconds> date;
  std::string message_id;
  std::string in_reply_to;
  std::string references;
  std::string importance;  ///< "Low", "Normal", "High"
  std::string text;        ///< UTF-8
  std::string html;
  bool has_html = false;
  std::string report_type;  ///< of a multipart/report, lower case: "delivery-status", …
  std::vector<MailPart> attachments;

  std::string_view header(std::string_view name) const noexcept;
};

/// Headers alone if `headers_only`.
ParsedMail parse_mail(std::string_view mime, bool headers_only = false);
std::vector<MailAddress> parse_addresses(std::string_view header_value);
std::string quoted_printable_octets(std::string_view text);
/// What is not UTF-8 is read as Latin-1.
std::string octets_as_utf8(std::string text, std::string_view charset);
/// RFC 5322 section 3.3, with its obsolete zones.
std::optional<Seconds> parse_mail_date(std::string_view text);
std::string format_mail_date(Seconds utc);

struct MailToWrite {
  std::vector<std::pair<std::string, std::string>> headers;  ///< values in UTF-8, encoded on writing
  std::string body;
  bool is_html = false;
  const std::vector<Attachment>* attachments = nullptr;
  std::string calendar;  ///< a text/calendar part, or empty
  std::string boundary;  ///< unique in the message
};
std::string write_mail(const MailToWrite& mail);

/// The message with those of `needed` (values in UTF-8) that its header lacks put before it, and without the
/// fields called `unwanted`. All other octets stay as they are.
std::string with_headers(std::string_view mime,
                         const std::vector<std::pair<std::string, std::string>>& needed,
                         std::string_view unwanted);

/// The octets of a message, made if need be; empty if there are none.
std::string mime_octets(const MimeSource& source);
/// The text of a generated message, as parsing its octets would give it; empty for other sources.
std::optional<std::string> generated_text(const MimeSource& source);
/// Their number without making them.
std::size_t mime_size(const MimeSource& source);
/// Header fields of a generated mail, the same its octets have.
struct GeneratedHeaders {
  std::string subject, from_name, from, to, message_id;
  Seconds date;
};
GeneratedHeaders generated_headers(const GeneratedMail& mail);

}  // namespace exchange_sim
