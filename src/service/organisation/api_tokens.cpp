// SPDX-License-Identifier: GPL-3.0-or-later
#include "service/organisation/api_tokens.hpp"

#include <fmt/format.h>
#include <openssl/evp.h>

#include <array>
#include <utility>

#include "base/base64.hpp"
#include "base/text.hpp"
#include "store/journal.hpp"
#include "time/civil.hpp"

namespace syncline::service {
namespace {

namespace json = boost::json;
using store::ApiRole;

/// What scanners for leaked secrets know it by.
constexpr std::string_view prefix = "syncline_";
constexpr std::size_t random_octets = 32;
constexpr std::size_t text_octets = prefix.size() + 43;

constexpr std::pair<ApiRole, std::string_view> words[] = {
    {ApiRole::system_administrator, "system-administrator"},
    {ApiRole::approver, "approver"},
    {ApiRole::mailbox_owner, "mailbox-owner"},
    {ApiRole::read_only, "read-only"},
    {ApiRole::application, "application"}};

json::value time_or_null(const std::optional<SystemTime>& time) {
  if (!time) return nullptr;
  return json::value(time::format_utc(std::chrono::floor<std::chrono::seconds>(*time)));
}

Result<void> check(const NewApiToken& wanted, SystemTime now) {
  const auto bad = [](const char* code, std::string why) {
    return fail(ErrorDomain::input, code, std::move(why));
  };
  if (wanted.name.empty() || wanted.name.size() > 100 || text::escape_for_display(wanted.name) != wanted.name)
    return bad("bad-name", "The name of a token has 1 to 100 octets and no control characters");
  const bool is_owners = wanted.role == ApiRole::mailbox_owner;
  if (is_owners && wanted.owner.find('@') == std::string::npos)
    return bad("owner-missing", "A mailbox owner's token needs the address of its owner");
  if (wanted.owner.size() > 320 || text::escape_for_display(wanted.owner) != wanted.owner)
    return bad("owner-missing", "The owner of a token is an address");
  if (!is_owners && !wanted.owner.empty())
    return bad("owner-not-wanted", "Only a mailbox owner's token is bound to an address");
  if (wanted.expires_at && *wanted.expires_at <= now)
    return bad("bad-expiry", "The token would have expired already");
  return {};
}

std::string described(const store::ApiToken& token) {
  std::string text = fmt::format("token {} {}: {}", token.id, token.name, to_string(token.role));
  if (!token.owner.empty()) text += " " + token.owner;
  return text;
}

}  // namespace

std::string_view to_string(ApiRole role) noexcept {
  for (const auto& [value, word] : words)
    if (value == role) return word;
  return {};
}

std::optional<ApiRole> parse_api_role(std::string_view text) noexcept {
  for (const auto& [value, word] : words)
    if (word == text) return value;
  return std::nullopt;
}

std::string sha256_of(std::string_view octets) {
  std::string digest(32, '\0');
  unsigned size = 0;
  EVP_Digest(octets.data(), octets.size(), reinterpret_cast<unsigned char*>(digest.data()), &size,
             EVP_sha256(), nullptr);
  return digest;
}

Result<MadeApiToken> create_api_token(store::Transaction& transaction, Random& random,
                                      const NewApiToken& wanted, SystemTime now, const Actor& actor) {
  if (auto good = check(wanted, now); !good) return fail(std::move(good.error()));
  std::string octets(random_octets, '\0');
  random.fill(std::as_writable_bytes(std::span(octets)));
  std::string text(prefix);
  text += base64url_encode(octets);
  wipe(octets);
  store::ApiToken token{.name = wanted.name,
                        .role = wanted.role,
                        .owner = text::to_lower_ascii(wanted.owner),
                        .created_by = actor.who,
                        .expires_at = wanted.expires_at};
  auto inserted = store::insert_api_token(transaction, std::move(token), sha256_of(text));
  Secret secret(std::move(text));
  if (!inserted) return fail(std::move(inserted.error()));
  auto audited = store::append_audit(
      transaction,
      {.who = actor.who, .act = "token.create", .object = described(*inserted), .reason = actor.reason});
  if (!audited) return fail(std::move(audited.error()));
  return MadeApiToken{std::move(*inserted), std::move(secret)};
}

Result<std::optional<store::ApiToken>> find_api_token(store::Transaction& transaction,
                                                      std::string_view text) {
  if (text.size() != text_octets || !text.starts_with(prefix)) return std::optional<store::ApiToken>();
  return store::find_api_token_by_hash(transaction, sha256_of(text));
}

Result<store::ApiToken> revoke_api_token(store::Transaction& transaction, store::ApiTokenId id,
                                         const Actor& actor) {
  auto before = store::find_api_token(transaction, id);
  if (!before) return fail(std::move(before.error()));
  if (auto revoked = store::revoke_api_token(transaction, id); !revoked)
    return fail(std::move(revoked.error()));
  auto after = store::find_api_token(transaction, id);
  if (!after) return fail(std::move(after.error()));
  if (!*before || !(*before)->revoked_at) {
    auto audited = store::append_audit(
        transaction,
        {.who = actor.who, .act = "token.revoke", .object = described(**after), .reason = actor.reason});
    if (!audited) return fail(std::move(audited.error()));
  }
  return std::move(**after);
}

json::object to_json(const store::ApiToken& token, SystemTime now) {
  json::object object{{"id", std::to_string(token.id)},
                      {"name", token.name},
                      {"role", to_string(token.role)},
                      {"owner", nullptr},
                      {"createdAt", time_or_null(token.created_at)},
                      {"createdBy", token.created_by},
                      {"expiresAt", time_or_null(token.expires_at)},
                      {"revokedAt", time_or_null(token.revoked_at)},
                      {"lastUsedAt", time_or_null(token.last_used_at)},
                      {"state", token.revoked_at      ? "revoked"
                                : token.is_valid(now) ? "valid"
                                                      : "expired"}};
  if (!token.owner.empty()) object["owner"] = token.owner;
  return object;
}

}  // namespace syncline::service
