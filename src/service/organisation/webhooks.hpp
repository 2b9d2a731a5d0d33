// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
// Webhooks for changes of records: making and changing them. The key that deliveries are signed with is
// sealed in the vault. Each act is an entry of the audit.
#include <optional>
#include <string>

#include "base/random.hpp"
#include "base/secret.hpp"
#include "service/organisation/apply.hpp"
#include "store/webhooks.hpp"
#include "vault/vault.hpp"

namespace syncline::service {

inline constexpr std::size_t most_webhooks = 100;

/// Error (input) "bad-url": only https, no user information, up to 2048 octets. Where it leads to is checked
/// when it is connected, not here: names change.
Result<void> check_webhook_url(std::string_view url);

struct MadeWebhook {
  store::Webhook webhook;
  Secret key;  ///< "whsec_…": shown once
};
/// Errors (input): "bad-url", "too-many-webhooks"; those of the vault.
Result<MadeWebhook> create_webhook(store::Transaction& transaction, const vault::Vault& vault, Random& random,
                                   store::Webhook wanted, const Actor& actor);
/// A new key; deliveries are signed with it from now on. Error "no-webhook".
Result<MadeWebhook> renew_webhook_key(store::Transaction& transaction, const vault::Vault& vault,
                                      Random& random, store::WebhookId id, const Actor& actor);
/// Errors: "no-webhook", "bad-url".
Result<void> change_webhook(store::Transaction& transaction, const store::Webhook& webhook,
                            const Actor& actor);
/// With its key. Error "no-webhook".
Result<void> remove_webhook(store::Transaction& transaction, store::WebhookId id, const Actor& actor);

vault::SecretName webhook_key_name(store::WebhookId id);

}  // namespace syncline::service
