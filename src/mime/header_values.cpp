// SPDX-License-Identifier: GPL-3.0-or-later
#include "mime/header_values.hpp"

#include <algorithm>
#include <array>
#include <utility>

#include "base/text.hpp"
#include "mime/encoded_word.hpp"
#include "mime/message_ids.hpp"
#include "mime/parameters.hpp"

namespace syncline::mime {
namespace {

constexpr std::size_t keywords_limit = 200;

/// The first word of a field, in lower case.
std::string word_of(const HeaderBlock& header, std::string_view name) {
  const std::string* value = header.find(name);
  return value == nullptr ? std::string() : Parameters::parse(*value).value();
}

class ValueReader {
 public:
  ValueReader(const HeaderBlock& header, std::string_view hint, const Limits& limits, Message& message)
      : header_(header), hint_(hint), limits_(limits), message_(message) {}

  std::optional<std::string> text(std::string_view name) {
    const std::string* value = header_.find(name);
    if (value == nullptr) return std::nullopt;
    HeaderText decoded = decode_unstructured(*value, hint_);
    message_.defects.add(decoded.defects);
    return std::move(decoded.text);
  }

  /// Of all fields of the name: where senders repeat a list of addresses they mean all of them.
  std::optional<std::vector<Mailbox>> addresses(std::string_view name) {
    std::optional<std::vector<Mailbox>> all;
    for (const HeaderField& field : header_.fields()) {
      if (!text::equals_ignore_case(field.name, name)) continue;
      if (!all) all.emplace();
      AddressList list = parse_addresses(field.value, hint_, limits_);
      message_.defects.add(list.defects);
      for (Mailbox& one : list.mailboxes)
        if (all->size() < limits_.addresses) all->push_back(std::move(one));
    }
    return all;
  }

  std::optional<std::string> ids(std::string_view name) {
    const std::string* value = header_.find(name);
    if (value == nullptr) return std::nullopt;
    std::string all;
    for (const std::string& id : read_message_ids(*value)) all.append(all.empty() ? "" : " ").append(id);
    if (all.empty()) return std::nullopt;
    return all;
  }

  void date() {
    const std::string* value = header_.find("Date");
    if (value == nullptr) return message_.defects.add(Defect::missing_date);
    bool has_zone = false;
    message_.date = parse_date(*value, &has_zone);
    if (!message_.date) return message_.defects.add(Defect::bad_date);
    if (!has_zone) message_.defects.add(Defect::date_without_zone);
  }

  void message_id() {
    const std::string* value = header_.find("Message-ID");
    if (value == nullptr) return message_.defects.add(Defect::missing_message_id);
    MessageId found = read_message_id(*value);
    if (!found.is_clean) message_.defects.add(Defect::bad_message_id);
    message_.message_id = std::move(found.id);
  }

  void received() {
    // The date stands behind the last semicolon (RFC 5321 section 4.4).
    const std::string* value = header_.find("Received");
    if (value == nullptr) return;
    const std::size_t semicolon = value->rfind(';');
    if (semicolon != std::string::npos)
      message_.received = parse_date(std::string_view(*value).substr(semicolon + 1));
  }

  void importance() {
    const std::string said = word_of(header_, "Importance");
    const std::string priority = word_of(header_, "X-Priority");
    const std::string other = word_of(header_, "X-MSMail-Priority") + word_of(header_, "Priority");
    if (said == "high" || (said.empty() && (priority.starts_with('1') || priority.starts_with('2') ||
                                            (priority.empty() && (other == "high" || other == "urgent"))))) {
      message_.importance = Importance::high;
    } else if (said == "low" ||
               (said.empty() && (priority.starts_with('4') || priority.starts_with('5') ||
                                 (priority.empty() && (other == "low" || other == "non-urgent"))))) {
      message_.importance = Importance::low;
    }
  }

  void sensitivity() {
    const std::string said = word_of(header_, "Sensitivity");
    if (said == "personal") message_.sensitivity = Sensitivity::personal;
    if (said == "private") message_.sensitivity = Sensitivity::private_;
    if (said == "company-confidential" || said == "companyconfidential")
      message_.sensitivity = Sensitivity::confidential;
  }

  void keywords() {
    const auto said = text("Keywords");
    if (!said) return;
    for (const std::string_view piece : text::split(*said, ',')) {
      const std::string_view word = text::trim(piece);
      if (!word.empty() && message_.keywords.size() < keywords_limit) message_.keywords.emplace_back(word);
    }
  }

  void automatic() {
    const std::string submitted = word_of(header_, "Auto-Submitted");
    const std::string precedence = word_of(header_, "Precedence");
    const std::string* return_path = header_.find("Return-Path");
    message_.is_automatic = (!submitted.empty() && submitted != "no") || precedence == "bulk" ||
                            precedence == "junk" || precedence == "list" || precedence == "auto_reply" ||
                            header_.find("List-Id") != nullptr ||
                            (return_path != nullptr && text::trim(*return_path) == "<>");
  }

  void duplicates() {
    static constexpr std::string_view once[] = {"From",       "Sender",      "Reply-To", "To",
                                                "Cc",         "Bcc",         "Date",     "Message-ID",
                                                "References", "In-Reply-To", "Subject"};
    for (const std::string_view name : once)
      if (header_.count(name) > 1) message_.defects.add(Defect::duplicate_header);
  }

 private:
  const HeaderBlock& header_;
  std::string_view hint_;
  const Limits& limits_;
  Message& message_;
};

}  // namespace

void read_header_values(const HeaderBlock& header, std::string_view hint, const Limits& limits,
                        Message& message) {
  ValueReader values(header, hint, limits, message);
  message.subject = values.text("Subject");
  message.from = values.addresses("From");
  if (!message.from) message.defects.add(Defect::missing_from);
  message.sender = values.addresses("Sender");
  message.to = values.addresses("To");
  message.cc = values.addresses("Cc");
  message.bcc = values.addresses("Bcc");
  message.reply_to = values.addresses("Reply-To");
  values.date();
  values.received();
  values.message_id();
  message.in_reply_to = values.ids("In-Reply-To");
  message.references = values.ids("References");
  values.importance();
  values.sensitivity();
  values.keywords();
  message.conversation_index = values.text("Thread-Index").value_or(std::string());
  message.conversation_topic = values.text("Thread-Topic").value_or(std::string());
  values.automatic();
  values.duplicates();
}

}  // namespace syncline::mime
