# frozen_string_literal: true

# The tables of devise_600.sql on a database that is not PostgreSQL, as Rails itself makes them. Run inside
# tests/parts/rails_app by tests.parts.devise, with DATABASE_URL set.
require "./config/environment"

ActiveRecord::Schema.verbose = false
ActiveRecord::Schema.define do
  # Some of the 600 addresses differ in capitals only.
  exact = connection.adapter_name == "Mysql2" ? { collation: "utf8mb4_nopad_bin" } : {}
  create_table :users do |t|
    t.string :email, default: "", **exact
    t.string :encrypted_password, default: ""
    t.string :reset_password_token
    t.datetime :reset_password_sent_at
    t.datetime :remember_created_at
    t.integer :sign_in_count, default: 0, null: false
    t.datetime :current_sign_in_at
    t.datetime :last_sign_in_at
    t.string :current_sign_in_ip
    t.string :last_sign_in_ip
    t.string :confirmation_token
    t.datetime :confirmed_at
    t.datetime :confirmation_sent_at
    t.string :unconfirmed_email
    t.integer :failed_attempts, default: 0, null: false
    t.string :unlock_token
    t.datetime :locked_at, precision: 6
    t.string :username
    t.text :name
    t.text :roles
    t.integer :role_mask, default: 0, null: false
    t.string :locale
    t.string :time_zone
    t.datetime :deleted_at
    t.string :hash_scheme
    t.string :password_salt
    t.string :encrypted_otp_secret
    t.string :encrypted_otp_secret_iv
    t.string :encrypted_otp_secret_salt
    t.integer :consumed_timestep
    t.boolean :otp_required_for_login
    t.timestamps precision: 6
    t.index :email
    t.index :confirmation_token, unique: true
    t.index :reset_password_token, unique: true
    t.index :unlock_token, unique: true
  end
  create_table :identities do |t|
    t.references :user, null: false, foreign_key: true
    t.string :provider, null: false, **exact
    t.string :uid, null: false, **exact
    t.timestamps precision: 6
    t.index %i[provider uid], unique: true
  end
  create_table :sessions do |t|
    t.string :session_id, null: false
    t.text :data
    t.timestamps precision: 6
    t.index :session_id, unique: true
    t.index :updated_at
  end
  create_table :posts do |t|
    t.references :user, foreign_key: { on_delete: :cascade }
    t.string :title
  end
  create_table :notifications do |t|
    t.references :recipient, polymorphic: true
    t.bigint :user_id
  end
end
