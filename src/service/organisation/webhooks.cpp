// SPDX-License-Identifier: GPL-3.0-or-later
#include "service/organisation/webhooks.hpp"

#include <fmt/format.h>

#include "base/base64.hpp"
#include "net/url.hpp"
#include "service/organisation/secrets.hpp"
#include "store/journal.hpp"

namespace syncline::service {
namespace {

constexpr std::size_t key_octets = 32;

Result<void> audit(store::Transaction& transaction, std::string act, const store::Webhook& webhook,
                   const Actor& actor) {
  return store::append_audit(
      transaction, {.who = actor.who,
                    .act = std::move(act),
                    // What stands behind a '?' is often a secret.
                    .object = fmt::format("webhook {} {}", webhook.id,
                                          std::string_view(webhook.url).substr(0, webhook.url.find('?'))),
                    .reason = actor.reason});
}

unexpected<Error> no_webhook(store::WebhookId id) {
  return fail(ErrorDomain::input, "no-webhook", fmt::format("There is no webhook {}", id));
}

Result<Secret> put_new_key(store::Transaction& transaction, const vault::Vault& vault, Random& random,
                           store::WebhookId id) {
  std::string octets(key_octets, '\0');
  random.fill(std::as_writable_bytes(std::span(octets)));
  Secret key("whsec_" + base64url_encode(octets));
  wipe(octets);
  SealedRows rows(transaction);
  if (auto put = vault.put(rows, webhook_key_name(id), key); !put) return fail(std::move(put.error()));
  return key;
}

}  // namespace

vault::SecretName webhook_key_name(store::WebhookId id) {
  return {{"webhook", std::to_string(id)}, "signing-key"};
}

Result<void> check_webhook_url(std::string_view url) {
  const auto bad = [](std::string why) { return fail(ErrorDomain::input, "bad-url", std::move(why)); };
  if (url.size() > 2048) return bad("url: more than 2048 octets");
  auto parsed = net::parse_url(url);
  if (!parsed) return bad("url: " + parsed.error().message);
  if (!parsed->is_tls()) return bad("url: only https is delivered to");
  return {};
}

Result<MadeWebhook> create_webhook(store::Transaction& transaction, const vault::Vault& vault, Random& random,
                                   store::Webhook wanted, const Actor& actor) {
  if (auto good = check_webhook_url(wanted.url); !good) return fail(std::move(good.error()));
  auto all = store::list_webhooks(transaction);
  if (!all) return fail(std::move(all.error()));
  if (all->size() >= most_webhooks)
    return fail(ErrorDomain::input, "too-many-webhooks",
                fmt::format("There are {} webhooks already", all->size()));
  wanted.created_by = actor.who;
  auto webhook = store::insert_webhook(transaction, std::move(wanted));
  if (!webhook) return fail(std::move(webhook.error()));
  auto key = put_new_key(transaction, vault, random, webhook->id);
  if (!key) return fail(std::move(key.error()));
  if (auto audited = audit(transaction, "webhook.create", *webhook, actor); !audited)
    return fail(std::move(audited.error()));
  return MadeWebhook{std::move(*webhook), std::move(*key)};
}

Result<MadeWebhook> renew_webhook_key(store::Transaction& transaction, const vault::Vault& vault,
                                      Random& random, store::WebhookId id, const Actor& actor) {
  auto webhook = store::find_webhook(transaction, id);
  if (!webhook) return fail(std::move(webhook.error()));
  if (!*webhook) return no_webhook(id);
  auto key = put_new_key(transaction, vault, random, id);
  if (!key) return fail(std::move(key.error()));
  if (auto audited = audit(transaction, "webhook.renew-key", **webhook, actor); !audited)
    return fail(std::move(audited.error()));
  return MadeWebhook{std::move(**webhook), std::move(*key)};
}

Result<void> change_webhook(store::Transaction& transaction, const store::Webhook& webhook,
                            const Actor& actor) {
  if (auto good = check_webhook_url(webhook.url); !good) return good;
  if (auto updated = store::update_webhook(transaction, webhook); !updated) return updated;
  return audit(transaction, "webhook.change", webhook, actor);
}

Result<void> remove_webhook(store::Transaction& transaction, store::WebhookId id, const Actor& actor) {
  auto webhook = store::find_webhook(transaction, id);
  if (!webhook) return fail(std::move(webhook.error()));
  if (!*webhook) return no_webhook(id);
  SealedRows rows(transaction);
  if (auto gone = vault::forget_account(rows, webhook_key_name(id).account); !gone) return gone;
  if (auto gone = store::delete_webhook(transaction, id); !gone) return gone;
  if (auto settled = store::clear_alert(transaction, 0, fmt::format("webhook-disabled-{}", id)); !settled)
    return settled;
  return audit(transaction, "webhook.remove", **webhook, actor);
}

}  // namespace syncline::service
