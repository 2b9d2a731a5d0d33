// SPDX-License-Identifier: GPL-3.0-or-later
#include "sync/plan/mail_tracking.hpp"

#include <openssl/evp.h>

#include <algorithm>
#include <array>
#include <deque>
#include <memory>

#include "base/base64.hpp"
#include "base/text.hpp"
#include "sync/plan/body_text.hpp"

namespace syncline::sync::plan {
namespace {

constexpr std::size_t conversation_header_octets = 22;
constexpr std::size_t message_ids_limit = 100;
constexpr std::size_t message_id_octets_limit = 998;  // a line: RFC 5322 section 2.1.1
constexpr std::size_t token_digits = 7;

std::string address_field(const model::Fields& fields, std::string_view name) {
  const model::FieldValue* value = fields.if_contains(name);
  if (value == nullptr || !value->is_object()) return {};
  return text::to_lower_ascii(model::text_of(value->get_object(), "emailAddress"));
}

bool is_letter_or_digit(char c) {
  return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

}  // namespace

std::vector<std::string> message_ids_in(std::string_view header) {
  std::deque<std::string_view> ids;
  for (std::size_t open = header.find('<'); open != std::string_view::npos;) {
    const std::size_t close = header.find_first_of("<>", open + 1);
    if (close == std::string_view::npos) break;
    const std::string_view id = header.substr(open, close - open + 1);
    if (header[close] == '>' && id.size() > 2 && id.size() <= message_id_octets_limit) ids.push_back(id);
    // The first one of a thread is far away, its latest ones tell most.
    if (ids.size() > message_ids_limit) ids.pop_front();
    open = header[close] == '<' ? close : header.find('<', close + 1);
  }
  return {ids.begin(), ids.end()};
}

std::string token_of(std::string_view prefix, model::RecordId record) {
  std::string digits = std::to_string(record);
  if (digits.size() < token_digits) digits.insert(0, token_digits - digits.size(), '0');
  return std::string(prefix) + ":" + digits;
}

std::string token_in(std::string_view subject, std::string_view prefix) {
  if (prefix.empty()) return {};
  const std::string start = std::string(prefix) + ":";
  for (std::size_t at = subject.find(start); at != std::string_view::npos; at = subject.find(start, at + 1)) {
    std::size_t end = at + start.size();
    while (end < subject.size() && subject[end] >= '0' && subject[end] <= '9') ++end;
    const bool stands_alone = (at == 0 || !is_letter_or_digit(subject[at - 1])) &&
                              (end == subject.size() || !is_letter_or_digit(subject[end]));
    if (stands_alone && end - at - start.size() >= token_digits && end - at - start.size() <= 18)
      return std::string(subject.substr(at, end - at));
  }
  return {};
}

std::string conversation_key(std::string_view conversation_index) {
  const auto octets = base64_decode(conversation_index);
  if (!octets || octets->size() < conversation_header_octets) return {};
  return base64_encode(std::string_view(*octets).substr(0, conversation_header_octets));
}

ThreadKeys thread_keys(const model::Fields& message, std::string_view token_prefix) {
  ThreadKeys keys;
  std::vector<std::string> references = message_ids_in(model::text_of(message, "references"));
  std::reverse(references.begin(), references.end());
  for (std::vector<std::string>& ids :
       std::array{message_ids_in(model::text_of(message, "inReplyTo")), references})
    for (std::string& id : ids)
      if (std::find(keys.message_ids.begin(), keys.message_ids.end(), id) == keys.message_ids.end())
        keys.message_ids.push_back(std::move(id));
  keys.token = token_in(model::text_of(message, "subject"), token_prefix);
  keys.conversation = conversation_key(model::text_of(message, "conversationIndex"));
  return keys;
}

TrackingDecision decide_tracking(const MailFacts& facts, const model::MailPolicy& policy) {
  using model::MailFilter;
  if (facts.automatic_of_ours) return {.track = false, .reason = "own-automatic-mail"};
  if (facts.own_copy) return {.track = true, .reason = "own-sent-copy"};
  if (facts.draft) return {.track = false, .reason = "draft"};
  if (facts.before_start) return {.track = false, .reason = "before-start-date"};
  if (facts.folder == MailFolder::sent) {
    if (!policy.track_sent) return {.track = false, .reason = "sent-items-off"};
    if (facts.correlated) return {.track = true, .reason = facts.correlated_by};
    return {.track = false, .reason = "no-correlation"};
  }
  if (policy.track == MailFilter::none) return {.track = false, .reason = "filter-none"};
  if (facts.correlated) return {.track = true, .reason = facts.correlated_by};
  switch (policy.track) {
    case MailFilter::all:
      return {.track = true, .reason = "filter-all"};
    case MailFilter::replies:
      return {.track = false, .reason = "no-correlation"};
    case MailFilter::known_contacts:
      return {.track = facts.known_contact,
              .reason = facts.known_contact ? "known-contact" : "no-known-contact"};
    case MailFilter::known_records:
      if (facts.known_contact) return {.track = true, .reason = "known-contact"};
      return {.track = facts.known_record, .reason = facts.known_record ? "known-record" : "no-known-record"};
    case MailFilter::none:
      break;
  }
  return {.track = false, .reason = "filter-none"};
}

std::string fingerprint(const model::Fields& message) {
  const model::FieldValue* body = message.if_contains("body");
  const std::string parts[] = {address_field(message, "from"),
                               std::string(model::text_of(message, "dateTimeSent")),
                               body == nullptr ? std::string() : words_of_body(*body)};
  // With its algorithm set: beginning anew with the same spares OpenSSL 3 the look-up.
  thread_local const std::unique_ptr<EVP_MD_CTX, decltype(&EVP_MD_CTX_free)> digest = [] {
    std::unique_ptr<EVP_MD_CTX, decltype(&EVP_MD_CTX_free)> made(EVP_MD_CTX_new(), &EVP_MD_CTX_free);
    EVP_DigestInit_ex(made.get(), EVP_sha256(), nullptr);
    return made;
  }();
  std::array<unsigned char, EVP_MAX_MD_SIZE> octets{};
  unsigned size = 0;
  EVP_DigestInit_ex(digest.get(), nullptr, nullptr);
  for (const std::string& part : parts) {
    EVP_DigestUpdate(digest.get(), part.data(), part.size());
    EVP_DigestUpdate(digest.get(), "", 1);
  }
  EVP_DigestFinal_ex(digest.get(), octets.data(), &size);
  return base64_encode(std::string_view(reinterpret_cast<const char*>(octets.data()), size));
}

}  // namespace syncline::sync::plan
