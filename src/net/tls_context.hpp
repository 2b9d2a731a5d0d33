// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
// Private to tls_context.cpp and tls_stream.cpp: what a TlsContext holds.
#include <openssl/ssl.h>

#include "net/tls.hpp"

namespace syncline::net {

class OpenSslContext final : public TlsContext {
 public:
  explicit OpenSslContext(const SSL_METHOD* method);
  SSL_CTX* get() const noexcept { return context_.get(); }

 private:
  struct Free {
    void operator()(SSL_CTX* context) const noexcept { SSL_CTX_free(context); }
  };
  std::unique_ptr<SSL_CTX, Free> context_;
};

/// The oldest entry of OpenSSL's error queue as text; empties the queue.
std::string take_openssl_error();

}  // namespace syncline::net
