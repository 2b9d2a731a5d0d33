// SPDX-License-Identifier: GPL-3.0-or-later
#include "tools/exchange-sim/front/certificates.hpp"

#include <openssl/bio.h>
#include <openssl/bn.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/x509v3.h>

namespace exchange_sim {

using syncline::ErrorDomain;
using syncline::fail;

namespace {

struct FreeOpenSsl {
  void operator()(BIO* bio) const noexcept { BIO_free(bio); }
  void operator()(X509* certificate) const noexcept { X509_free(certificate); }
  void operator()(EVP_PKEY* key) const noexcept { EVP_PKEY_free(key); }
  void operator()(X509_EXTENSION* extension) const noexcept { X509_EXTENSION_free(extension); }
};
using Key = std::unique_ptr<EVP_PKEY, FreeOpenSsl>;
using Certificate = std::unique_ptr<X509, FreeOpenSsl>;
using Bio = std::unique_ptr<BIO, FreeOpenSsl>;

constexpr long valid_days = 30;

std::string content_of(BIO* bio) {
  char* data = nullptr;
  const long size = BIO_get_mem_data(bio, &data);
  return size > 0 ? std::string(data, static_cast<std::size_t>(size)) : std::string();
}

std::string pem_of(X509* certificate) {
  const Bio bio(BIO_new(BIO_s_mem()));
  if (!bio || PEM_write_bio_X509(bio.get(), certificate) != 1) return {};
  return content_of(bio.get());
}

bool add_extension(X509* certificate, X509* issuer, int kind, const std::string& value) {
  X509V3_CTX context;
  X509V3_set_ctx_nodb(&context);
  X509V3_set_ctx(&context, issuer, certificate, nullptr, nullptr, 0);
  const std::unique_ptr<X509_EXTENSION, FreeOpenSsl> extension(
      X509V3_EXT_conf_nid(nullptr, &context, kind, value.c_str()));
  return extension && X509_add_ext(certificate, extension.get(), -1) == 1;
}

/// Version 3, random serial number, valid from an hour ago.
Certificate draft(EVP_PKEY* key, const std::string& name) {
  Certificate certificate(X509_new());
  unsigned char serial[16];
  if (!certificate || RAND_bytes(serial, sizeof serial) != 1) return nullptr;
  serial[0] &= 0x7f;
  BIGNUM* number = BN_bin2bn(serial, sizeof serial, nullptr);
  const bool numbered =
      number != nullptr && BN_to_ASN1_INTEGER(number, X509_get_serialNumber(certificate.get())) != nullptr;
  BN_free(number);
  auto* subject = X509_get_subject_name(certificate.get());
  if (!numbered || X509_set_version(certificate.get(), X509_VERSION_3) != 1 ||
      X509_gmtime_adj(X509_getm_notBefore(certificate.get()), -3600) == nullptr ||
      X509_gmtime_adj(X509_getm_notAfter(certificate.get()), valid_days * 24 * 3600) == nullptr ||
      X509_set_pubkey(certificate.get(), key) != 1 ||
      X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_UTF8,
                                 reinterpret_cast<const unsigned char*>(name.c_str()), -1, -1, 0) != 1) {
    return nullptr;
  }
  return certificate;
}

}  // namespace

struct CertificateAuthority::Parts {
  Key key;
  Certificate certificate;
};

CertificateAuthority::CertificateAuthority(std::unique_ptr<Parts> parts) : parts_(std::move(parts)) {}
CertificateAuthority::~CertificateAuthority() = default;

Result<std::unique_ptr<CertificateAuthority>> CertificateAuthority::create() {
  const auto trouble = [] {
    return fail(ErrorDomain::local, "no-certificate", "OpenSSL could not make a CA");
  };
  auto parts = std::make_unique<Parts>();
  parts->key.reset(EVP_EC_gen("P-256"));
  if (!parts->key) return trouble();
  parts->certificate = draft(parts->key.get(), "exchange-sim test CA");
  auto* certificate = parts->certificate.get();
  if (certificate == nullptr || X509_set_issuer_name(certificate, X509_get_subject_name(certificate)) != 1 ||
      !add_extension(certificate, certificate, NID_basic_constraints, "critical,CA:TRUE,pathlen:0") ||
      !add_extension(certificate, certificate, NID_key_usage, "critical,keyCertSign,cRLSign") ||
      !add_extension(certificate, certificate, NID_subject_key_identifier, "hash") ||
      X509_sign(certificate, parts->key.get(), EVP_sha256()) == 0) {
    return trouble();
  }
  return std::unique_ptr<CertificateAuthority>(new CertificateAuthority(std::move(parts)));
}

std::string CertificateAuthority::certificate_pem() const {
  return pem_of(parts_->certificate.get());
}

Result<syncline::net::TlsServerIdentity> CertificateAuthority::issue(
    const std::vector<std::string>& names) const {
  const auto trouble = [] {
    return fail(ErrorDomain::local, "no-certificate", "OpenSSL could not make a certificate");
  };
  const Key key(EVP_EC_gen("P-256"));
  if (!key) return trouble();
  const auto certificate = draft(key.get(), names.empty() ? "localhost" : names.front());
  std::string alternatives = "DNS:localhost,IP:127.0.0.1,IP:0:0:0:0:0:0:0:1";
  for (const auto& name : names) {
    if (name.find_first_of(",: \n") != name.npos) {
      return fail(ErrorDomain::input, "bad-config", "\"" + name + "\" is no host name");
    }
    if (name != "localhost") alternatives += ",DNS:" + name;
  }
  auto* issuer = parts_->certificate.get();
  if (!certificate || X509_set_issuer_name(certificate.get(), X509_get_subject_name(issuer)) != 1 ||
      !add_extension(certificate.get(), issuer, NID_basic_constraints, "critical,CA:FALSE") ||
      !add_extension(certificate.get(), issuer, NID_key_usage, "critical,digitalSignature") ||
      !add_extension(certificate.get(), issuer, NID_ext_key_usage, "serverAuth") ||
      !add_extension(certificate.get(), issuer, NID_subject_alt_name, alternatives) ||
      !add_extension(certificate.get(), issuer, NID_authority_key_identifier, "keyid") ||
      X509_sign(certificate.get(), parts_->key.get(), EVP_sha256()) == 0) {
    return trouble();
  }
  const Bio bio(BIO_new(BIO_s_mem()));
  if (!bio || PEM_write_bio_PrivateKey(bio.get(), key.get(), nullptr, nullptr, 0, nullptr, nullptr) != 1)
    return trouble();
  return syncline::net::TlsServerIdentity{pem_of(certificate.get()), Secret(content_of(bio.get()))};
}

}  // namespace exchange_sim
