// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
// What a message says, as values. All texts are valid UTF-8; line ends in bodies are LF. Names of attachments
// are data: they may hold anything, also "../", and never become paths.
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "mime/addresses.hpp"
#include "mime/date.hpp"
#include "mime/defects.hpp"
#include "mime/header_block.hpp"

namespace syncline::mime {

enum class AttachmentKind : std::uint8_t {
  file,
  message,          ///< an attached message: message/rfc822, message/global
  calendar,         ///< text/calendar
  tnef,             ///< application/ms-tnef, winmail.dat: not opened
  signature,        ///< of a signed message: S/MIME, OpenPGP
  encrypted,        ///< S/MIME, OpenPGP or rights-managed content: not opened
  delivery_report,  ///< message/delivery-status, message/disposition-notification
  headers,          ///< text/rfc822-headers: of the message that a report is about
};

struct Attachment {
  std::string name = {};    ///< as the sender named it, controls as spaces; empty: no name. Of an attached
                            ///< message: its subject
  std::string type = {};    ///< "image/png", lower case
  std::uint64_t size = 0;   ///< decoded octets
  std::string sha256 = {};  ///< of the decoded octets, lower-case hexadecimal
  std::string content_id = {};  ///< without angle brackets; empty: none
  bool is_inline = false;       ///< shown inside the body
  AttachmentKind kind = AttachmentKind::file;
};

/// A body's text.
struct BodyText {
  std::string value = {};
  std::string charset = {};  ///< as the part says; empty: it does not
  bool is_cut = false;       ///< longer than the limit
};

/// A calendar part (RFC 6047): an invitation, a reply, a cancellation.
struct CalendarPart {
  std::string method =
      {};  ///< "REQUEST", upper case; of the Content-Type's parameter, else of the text; empty: none
  std::string text = {};  ///< iCalendar
  bool is_cut = false;
};

/// RFC 3464: what became of a message for one recipient.
struct RecipientReport {
  std::string original_recipient = {};  ///< address without "rfc822;"; empty: not said
  std::string final_recipient = {};
  std::string action = {};           ///< "failed", "delayed", "delivered", "relayed", "expanded"; lower case
  std::string status = {};           ///< "5.1.1"
  std::string diagnostic_code = {};  ///< "smtp; 550 …"
  std::string remote_mta = {};
};
/// RFC 3464 (delivery) and RFC 8098 (disposition: read, deleted, …).
struct Report {
  std::string type = {};  ///< multipart/report's report-type: "delivery-status", "disposition-notification"
  std::string reporting_mta = {};
  std::vector<RecipientReport> recipients = {};
  std::string disposition = {};  ///< "manual-action/MDN-sent-manually; displayed"
  std::string original_message_id =
      {};  ///< of the message the report is about, with angle brackets; empty: not found
};

enum class Protection : std::uint8_t {
  none,
  signed_clear,    ///< multipart/signed: the body can be read
  signed_opaque,   ///< S/MIME signed-data: the body lies inside the signature
  encrypted,       ///< S/MIME enveloped-data, multipart/encrypted (OpenPGP)
  rights_managed,  ///< message.rpmsg
};
std::string_view to_string(Protection protection) noexcept;

enum class Importance : std::uint8_t { low, normal, high };
enum class Sensitivity : std::uint8_t { normal, personal, private_, confidential };
/// EWS's words: "High", "Confidential".
std::string_view to_string(Importance importance) noexcept;
std::string_view to_string(Sensitivity sensitivity) noexcept;

struct Message {
  std::vector<HeaderField> headers = {};  ///< of the message itself, in order, octets

  std::optional<std::string> subject = std::nullopt;
  std::optional<std::vector<Mailbox>> from = std::nullopt;
  std::optional<std::vector<Mailbox>> sender = std::nullopt;
  std::optional<std::vector<Mailbox>> to = std::nullopt;
  std::optional<std::vector<Mailbox>> cc = std::nullopt;
  std::optional<std::vector<Mailbox>> bcc = std::nullopt;
  std::optional<std::vector<Mailbox>> reply_to = std::nullopt;
  /// nullopt: missing or bad, and the defects say which; the caller takes the time of receipt.
  std::optional<DateTime> date = std::nullopt;
  /// When the last server took it, of the topmost Received field.
  std::optional<DateTime> received = std::nullopt;
  std::optional<std::string> message_id = std::nullopt;   ///< with angle brackets
  std::optional<std::string> in_reply_to = std::nullopt;  ///< with angle brackets, separated by spaces
  std::optional<std::string> references = std::nullopt;   ///< the same, oldest first
  std::string sha256 = {};  ///< of all octets of the message; empty: was not asked for

  std::optional<BodyText> text = std::nullopt;
  std::optional<BodyText> html = std::nullopt;
  std::vector<Attachment> attachments = {};
  std::optional<CalendarPart> calendar = std::nullopt;
  std::optional<Report> report = std::nullopt;
  Protection protection = Protection::none;

  Importance importance = Importance::normal;
  Sensitivity sensitivity = Sensitivity::normal;
  std::vector<std::string> keywords = {};
  std::string conversation_index = {};  ///< Thread-Index, base64 as it is
  std::string conversation_topic = {};
  /// Written by a program (RFC 3834; also Precedence bulk, junk or list): nobody may be answered
  /// automatically.
  bool is_automatic = false;

  Defects defects = {};

  /// The first field of the name, decoded; nullopt: there is none.
  std::optional<std::string> header(std::string_view name) const;
  /// What the message is told apart by: its Message-ID, else "sha256:…" of its octets. Empty if
  /// neither is known.
  std::string key() const;
  /// Its content must not be taken for readable (IPM.Note.SMIME and the like).
  bool is_opaque() const noexcept { return protection >= Protection::signed_opaque; }
};

}  // namespace syncline::mime
