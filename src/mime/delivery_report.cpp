// SPDX-License-Identifier: GPL-3.0-or-later
#include "mime/delivery_report.hpp"

#include "base/text.hpp"
#include "mime/encoded_word.hpp"
#include "mime/message_ids.hpp"

namespace syncline::mime {
namespace {

std::string text_of(const HeaderBlock& group, std::string_view name) {
  const std::string* value = group.find(name);
  return value == nullptr ? std::string() : decode_unstructured(*value).text;
}

/// "rfc822; user@example.com" → "user@example.com"
std::string without_type(const std::string& value) {
  const std::size_t semicolon = value.find(';');
  const std::string_view rest = semicolon == std::string::npos
                                    ? std::string_view(value)
                                    : std::string_view(value).substr(semicolon + 1);
  std::string_view address = text::trim(rest);
  if (address.size() > 2 && address.front() == '<' && address.back() == '>')
    address = address.substr(1, address.size() - 2);
  return std::string(address);
}

}  // namespace

void read_report_fields(std::string_view octets, const Limits& limits, Report& report) {
  while (!octets.empty()) {
    const HeaderBlock group = read_header(octets, limits, &octets);
    if (group.empty()) continue;
    if (report.reporting_mta.empty()) report.reporting_mta = without_type(text_of(group, "Reporting-MTA"));
    if (report.disposition.empty()) report.disposition = text_of(group, "Disposition");
    if (report.original_message_id.empty()) {
      if (const std::string* id = group.find("Original-Message-ID"))
        report.original_message_id = read_message_id(*id).id.value_or(std::string());
    }
    if (group.find("Final-Recipient") == nullptr && group.find("Original-Recipient") == nullptr) continue;
    if (report.recipients.size() == limits.addresses) return;
    report.recipients.push_back(
        {.original_recipient = without_type(text_of(group, "Original-Recipient")),
         .final_recipient = without_type(text_of(group, "Final-Recipient")),
         .action = text::to_lower_ascii(text_of(group, "Action")),
         .status = text_of(group, "Status").substr(0, text_of(group, "Status").find_first_of(" (")),
         .diagnostic_code = text_of(group, "Diagnostic-Code"),
         .remote_mta = without_type(text_of(group, "Remote-MTA"))});
  }
}

}  // namespace syncline::mime
