--
-- PostgreSQL database dump
--

\restrict ilU4IaBhNrPP5rahleRM6g9WG1fueTGbAMKL64csiQmlbT33GptJN27feEeNpJT

-- Dumped from database version 15.18 (Debian 15.18-0+deb12u1)
-- Dumped by pg_dump version 15.18 (Debian 15.18-0+deb12u1)

SET statement_timeout = 0;
SET lock_timeout = 0;
SET idle_in_transaction_session_timeout = 0;
SET client_encoding = 'UTF8';
SET standard_conforming_strings = on;
SELECT pg_catalog.set_config('search_path', '', false);
SET check_function_bodies = false;
SET xmloption = content;
SET client_min_messages = warning;
SET row_security = off;

SET default_tablespace = '';

SET default_table_access_method = heap;

--
-- Name: migrations; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.migrations (
    id integer NOT NULL,
    migration character varying(255) NOT NULL,
    batch integer NOT NULL
);


--
-- Name: migrations_id_seq; Type: SEQUENCE; Schema: public; Owner: -
--

CREATE SEQUENCE public.migrations_id_seq
    AS integer
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;


--
-- Name: migrations_id_seq; Type: SEQUENCE OWNED BY; Schema: public; Owner: -
--

ALTER SEQUENCE public.migrations_id_seq OWNED BY public.migrations.id;


--
-- Name: model_has_roles; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.model_has_roles (
    role_id bigint NOT NULL,
    model_type character varying(255) NOT NULL,
    model_id bigint NOT NULL
);


--
-- Name: password_resets; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.password_resets (
    email character varying(255) NOT NULL,
    token character varying(255) NOT NULL,
    created_at timestamp(0) without time zone
);


--
-- Name: personal_access_tokens; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.personal_access_tokens (
    id bigint NOT NULL,
    tokenable_type character varying(255) NOT NULL,
    tokenable_id bigint NOT NULL,
    name character varying(255) NOT NULL,
    token character varying(64) NOT NULL,
    abilities text,
    last_used_at timestamp(0) without time zone,
    created_at timestamp(0) without time zone,
    updated_at timestamp(0) without time zone
);


--
-- Name: personal_access_tokens_id_seq; Type: SEQUENCE; Schema: public; Owner: -
--

CREATE SEQUENCE public.personal_access_tokens_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;


--
-- Name: personal_access_tokens_id_seq; Type: SEQUENCE OWNED BY; Schema: public; Owner: -
--

ALTER SEQUENCE public.personal_access_tokens_id_seq OWNED BY public.personal_access_tokens.id;


--
-- Name: roles; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.roles (
    id bigint NOT NULL,
    name character varying(255) NOT NULL,
    guard_name character varying(255) NOT NULL,
    created_at timestamp(0) without time zone,
    updated_at timestamp(0) without time zone
);


--
-- Name: roles_id_seq; Type: SEQUENCE; Schema: public; Owner: -
--

CREATE SEQUENCE public.roles_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;


--
-- Name: roles_id_seq; Type: SEQUENCE OWNED BY; Schema: public; Owner: -
--

ALTER SEQUENCE public.roles_id_seq OWNED BY public.roles.id;


--
-- Name: sessions; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.sessions (
    id character varying(255) NOT NULL,
    user_id bigint,
    ip_address character varying(45),
    user_agent text,
    payload text NOT NULL,
    last_activity integer NOT NULL
);


--
-- Name: social_accounts; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.social_accounts (
    id bigint NOT NULL,
    user_id bigint NOT NULL,
    provider character varying(255) NOT NULL,
    provider_id character varying(255) NOT NULL,
    created_at timestamp(0) without time zone,
    updated_at timestamp(0) without time zone
);


--
-- Name: social_accounts_id_seq; Type: SEQUENCE; Schema: public; Owner: -
--

CREATE SEQUENCE public.social_accounts_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;


--
-- Name: social_accounts_id_seq; Type: SEQUENCE OWNED BY; Schema: public; Owner: -
--

ALTER SEQUENCE public.social_accounts_id_seq OWNED BY public.social_accounts.id;


--
-- Name: users; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.users (
    id bigint NOT NULL,
    name character varying(255) NOT NULL,
    email character varying(255) NOT NULL,
    email_verified_at timestamp(0) without time zone,
    password character varying(255),
    github_id character varying(255),
    remember_token character varying(100),
    created_at timestamp(0) without time zone,
    updated_at timestamp(0) without time zone,
    deleted_at timestamp(0) without time zone,
    two_factor_secret text,
    two_factor_recovery_codes text,
    two_factor_confirmed_at timestamp(0) without time zone
);


--
-- Name: users_id_seq; Type: SEQUENCE; Schema: public; Owner: -
--

CREATE SEQUENCE public.users_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;


--
-- Name: users_id_seq; Type: SEQUENCE OWNED BY; Schema: public; Owner: -
--

ALTER SEQUENCE public.users_id_seq OWNED BY public.users.id;


--
-- Name: migrations id; Type: DEFAULT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.migrations ALTER COLUMN id SET DEFAULT nextval('public.migrations_id_seq'::regclass);


--
-- Name: personal_access_tokens id; Type: DEFAULT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.personal_access_tokens ALTER COLUMN id SET DEFAULT nextval('public.personal_access_tokens_id_seq'::regclass);


--
-- Name: roles id; Type: DEFAULT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.roles ALTER COLUMN id SET DEFAULT nextval('public.roles_id_seq'::regclass);


--
-- Name: social_accounts id; Type: DEFAULT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.social_accounts ALTER COLUMN id SET DEFAULT nextval('public.social_accounts_id_seq'::regclass);


--
-- Name: users id; Type: DEFAULT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.users ALTER COLUMN id SET DEFAULT nextval('public.users_id_seq'::regclass);


--
-- Data for Name: migrations; Type: TABLE DATA; Schema: public; Owner: -
--

COPY public.migrations (id, migration, batch) FROM stdin;
1	2014_10_12_000000_create_users_table	1
2	2019_12_14_000001_create_tables_of_packages	1
\.


--
-- Data for Name: model_has_roles; Type: TABLE DATA; Schema: public; Owner: -
--

COPY public.model_has_roles (role_id, model_type, model_id) FROM stdin;
1	App\\Models\\User	1
2	App\\Models\\User	1
1	App\\Models\\User	4
3	App\\Models\\Admin	2
\.


--
-- Data for Name: password_resets; Type: TABLE DATA; Schema: public; Owner: -
--

COPY public.password_resets (email, token, created_at) FROM stdin;
bcrypt_4@example.org	$2y$04$JOPRRpNum0zXNuFKeAKHR.dTCnsKauJmzqQ2VhuCmVlc4wZCjlQQC	2024-05-01 12:00:00
\.


--
-- Data for Name: personal_access_tokens; Type: TABLE DATA; Schema: public; Owner: -
--

COPY public.personal_access_tokens (id, tokenable_type, tokenable_id, name, token, abilities, last_used_at, created_at, updated_at) FROM stdin;
1	App\\Models\\User	1	phone	48168fa99cb7e014e77dbf4af79fc5b2a50caac8e820883ea7326f88bc713ac9	["*"]	\N	\N	\N
\.


--
-- Data for Name: roles; Type: TABLE DATA; Schema: public; Owner: -
--

COPY public.roles (id, name, guard_name, created_at, updated_at) FROM stdin;
1	editor	web	\N	\N
2	moderator	web	\N	\N
3	superuser	web	\N	\N
\.


--
-- Data for Name: sessions; Type: TABLE DATA; Schema: public; Owner: -
--

COPY public.sessions (id, user_id, ip_address, user_agent, payload, last_activity) FROM stdin;
0000000000000000000000000000000000000000	1	127.0.0.1	\N	YToxOntzOjY6Il90b2tlbiI7czoxOiJ4Ijt9	1714564800
1111111111111111111111111111111111111111	1	127.0.0.1	\N	YToxOntzOjY6Il90b2tlbiI7czoxOiJ4Ijt9	1714564801
2222222222222222222222222222222222222222	\N	127.0.0.1	\N	YToxOntzOjY6Il90b2tlbiI7czoxOiJ4Ijt9	1714564802
\.


--
-- Data for Name: social_accounts; Type: TABLE DATA; Schema: public; Owner: -
--

COPY public.social_accounts (id, user_id, provider, provider_id, created_at, updated_at) FROM stdin;
1	12	google	1180001	2024-05-01 12:00:00	2024-05-01 12:00:00
2	1	google	1180002	2024-05-01 12:00:00	2024-05-01 12:00:00
\.


--
-- Data for Name: users; Type: TABLE DATA; Schema: public; Owner: -
--

COPY public.users (id, name, email, email_verified_at, password, github_id, remember_token, created_at, updated_at, deleted_at, two_factor_secret, two_factor_recovery_codes, two_factor_confirmed_at) FROM stdin;
1	Ada bcrypt_4	bcrypt_4@example.org	2023-01-01 08:30:00	$2y$04$EtiRhffeRGAp66u8L6S71eVxGdhmfcIfel9iQQjP6wAkeQqHva3vq	\N	\N	2023-01-01 08:30:00	2023-01-01 08:30:00	\N	\N	\N	\N
2	Ada bcrypt_8	bcrypt_8@example.org	2023-02-02 08:30:00	$2y$08$jIXMTUQ/9j5TmBL14bmlnuWIv7sTqJojoAJ4ZjiSAzHQby3TJ/x4e	\N	\N	2023-02-02 08:30:00	2023-02-02 08:30:00	\N	\N	\N	\N
3	Ada bcrypt_10	bcrypt_10@example.org	2023-03-03 08:30:00	$2y$10$4Ferb7p3lZADpfEGXmzjoejzaXrv3Qz7/CE4oOCnOkQ3h4aLV7zk.	\N	\N	2023-03-03 08:30:00	2023-03-03 08:30:00	\N	\N	\N	\N
4	Ada argon2i	argon2i@example.org	2023-04-04 08:30:00	$argon2i$v=19$m=1024,t=2,p=2$Q1E3NnJEakR5LlJ1TVppOA$xgp47c8KsnUWRh1ySnHjsclHAPfiZDgyuOliuBdPmpc	\N	\N	2023-04-04 08:30:00	2023-04-04 08:30:00	\N	\N	\N	\N
5	Ada argon2id	argon2id@example.org	2023-05-05 08:30:00	$argon2id$v=19$m=1024,t=2,p=2$SGdPZFZBdmFjVHM0NnZxaQ$nyww2AJyBHUVEGSrExnLdtABoqvd1IiZNeJozVIhcdM	\N	\N	2023-05-05 08:30:00	2023-05-05 08:30:00	\N	\N	\N	\N
6	Ada argon2id_dear	argon2id_dear@example.org	2023-06-06 08:30:00	$argon2id$v=19$m=65536,t=4,p=1$RTIwaVhYN2ZIWVVrcmZjNA$88/8D1SrLwaxe0EjWlBN/38qbeNlcV0JLbGa2F42ihU	\N	\N	2023-06-06 08:30:00	2023-06-06 08:30:00	\N	\N	\N	\N
7	Ada long_password	long_password@example.org	2023-07-07 08:30:00	$2y$04$0VtwmZNESw/HW5NH3UF8re50DmgeBDlU8o6C9MQVk7/3GbauR4CPe	\N	\N	2023-07-07 08:30:00	2023-07-07 08:30:00	\N	\N	\N	\N
8	Ada blank_password	blank_password@example.org	2023-08-08 08:30:00	$2y$04$AUYW8cfTtiOz0QglHQM4JusnyN4rnDkii4oOIvXZK2E62aFCKbY8i	\N	\N	2023-08-08 08:30:00	2023-08-08 08:30:00	\N	\N	\N	\N
9	Ada unverified	unverified@example.org	\N	$2y$04$tZMcrhNvqoGvNgQ8qKOZ5ODmz8DYgOMilvUS84xGmtIq9IU/NRcd6	\N	\N	2023-09-09 08:30:00	2023-09-09 08:30:00	\N	\N	\N	\N
10	Ada remembered	remembered@example.org	2023-10-10 08:30:00	$2y$04$tZMcrhNvqoGvNgQ8qKOZ5ODmz8DYgOMilvUS84xGmtIq9IU/NRcd6	\N	xG1YwkI4XKdjhHamE4cHn7FpK9lZZdwYnW4DppDRNvsfcUWCm5cySMUiLAS8	2023-10-10 08:30:00	2023-10-10 08:30:00	\N	\N	\N	\N
11	Ada deleted	deleted@example.org	2023-11-11 08:30:00	$2y$04$tZMcrhNvqoGvNgQ8qKOZ5ODmz8DYgOMilvUS84xGmtIq9IU/NRcd6	\N	\N	2023-11-11 08:30:00	2023-11-11 08:30:00	2024-03-01 10:00:00	\N	\N	\N
12	Ada provider_only	provider_only@example.org	2023-12-12 08:30:00	\N	\N	\N	2023-12-12 08:30:00	2023-12-12 08:30:00	\N	\N	\N	\N
13	Ada provider_column	provider_column@example.org	2023-01-13 08:30:00	\N	7000001	\N	2023-01-13 08:30:00	2023-01-13 08:30:00	\N	\N	\N	\N
14	Ada no_way_in	no_way_in@example.org	2023-02-14 08:30:00	\N	\N	\N	2023-02-14 08:30:00	2023-02-14 08:30:00	\N	\N	\N	\N
15	Ada second_factor	second_factor@example.org	2023-03-15 08:30:00	$2y$04$tZMcrhNvqoGvNgQ8qKOZ5ODmz8DYgOMilvUS84xGmtIq9IU/NRcd6	\N	\N	2023-03-15 08:30:00	2023-03-15 08:30:00	\N	eyJpdiI6ImZQVkVSb29CM0g5SW9jZ1Badzl3UEE9PSIsInZhbHVlIjoiZVlMTnRUNDNaaUVUQkQ0alc1c0NpMHk1dzhwYXJQTGgydkhBQmZ5UFJHbz0iLCJtYWMiOiI0ZjJjNTAwY2FmYjk2MmNlY2E2ZGMyNTYxNzg3YjRlN2YyMjRmYmU2ODY1YjU1MzY1OGE4NmIyODhjMDE5NWRhIiwidGFnIjoiIn0=	eyJpdiI6IlM3WkY1V2RMdFk4LzFiNUh1SUJLS0E9PSIsInZhbHVlIjoielNkdHErMXBxQmR2aHB6bDFqZW1IY2hRb3A1MmlyaGd2dWFKNFRQM0pMVT0iLCJtYWMiOiIzZGJjYjk5ZTU2MzQwNzFkMTJlMDRmYmM4NDAwYzAzNWVmN2IzNzE1MWYxZWE0ZTBlZmUwNjczODc4YjVkY2YwIiwidGFnIjoiIn0=	2024-01-02 03:04:05
16	Ada second_factor_begun	second_factor_begun@example.org	2023-04-16 08:30:00	$2y$04$tZMcrhNvqoGvNgQ8qKOZ5ODmz8DYgOMilvUS84xGmtIq9IU/NRcd6	\N	\N	2023-04-16 08:30:00	2023-04-16 08:30:00	\N	eyJpdiI6InFsSHNqOGNLTTJiL1hWcnhndkJQQ1E9PSIsInZhbHVlIjoicUZXUFpoZnNweFE5cEFVQlFvRWNPcWtkbDlrU2N6WVdxOWYvdGg0aUM2cz0iLCJtYWMiOiI3ODBmNjlkYzc2Y2IxMWY3ZDNjZmU5ODBlOTU2ZDE5N2FiM2VjNjBjN2U5M2Y4MDFhYzAwNjk4MjYzZGYzMTlkIiwidGFnIjoiIn0=	eyJpdiI6IjFxWUJodFUxZDljTWlEMjlJcHZIQnc9PSIsInZhbHVlIjoiS1ZYOG1yTStheXFIdG1JL3JNUjZ5TmdmOTBkNmRYSHhlZkUvSDZrNnVuRT0iLCJtYWMiOiJhZWJlNTcwYmYyZjVjMWU0NzY1ZWRjODE0YTFlNTI1NTA4NDY5YjliMGY0OWMwMTE2OTg5ZGZkZWQ4OTU1Yjc0IiwidGFnIjoiIn0=	\N
17	Ada second_factor_old_key	second_factor_old_key@example.org	2023-05-17 08:30:00	$2y$04$tZMcrhNvqoGvNgQ8qKOZ5ODmz8DYgOMilvUS84xGmtIq9IU/NRcd6	\N	\N	2023-05-17 08:30:00	2023-05-17 08:30:00	\N	eyJpdiI6IktjV3QrcFZ5L0UrTmNQY1VkNlp3L0E9PSIsInZhbHVlIjoiMHQxQk5SR2RQV2lUeW5TMERBeWJCTmlqQ1RXVmxUOUxocmQ1VzdkYkZPaz0iLCJtYWMiOiI2OTQyMWE3ZWY3YTdkOTE0YzUyNmZhZmMxMWQ3YWI0OTMwMzM3YWYzZjc2ZmZkZjNmZjE1YjRjYmMwZmZkNDQ4IiwidGFnIjoiIn0=	eyJpdiI6IllDNGE0Ty8vbjF2RmY4MTExdUFPTWc9PSIsInZhbHVlIjoiSWVLcXlVNTNGKzlsbWNRMnRJazZ2N2xHWlNTOXc5Ymt4LzlLT0dPRG9Wbz0iLCJtYWMiOiJjNWU4MzM0YWE4MjUzMTZlNDhlMmE2MzZlZWE5Y2VmZTUyMGQ2ZTQxYmRjZjYzZWQxZTMwNWYyOTdhNjgwMWVkIiwidGFnIjoiIn0=	2023-01-01 00:00:00
18	Ada second_factor_gcm	second_factor_gcm@example.org	2023-06-18 08:30:00	$2y$04$tZMcrhNvqoGvNgQ8qKOZ5ODmz8DYgOMilvUS84xGmtIq9IU/NRcd6	\N	\N	2023-06-18 08:30:00	2023-06-18 08:30:00	\N	eyJpdiI6ImR3eUNKQTNQam1PUk9NelciLCJ2YWx1ZSI6Im9jL0hNaS94dmwrTFNnR3hRN3lnemtENFhKemdNdHVPIiwibWFjIjoiIiwidGFnIjoieks1MTVFdHdyS2l3VEdvT1IzQklFdz09In0=	eyJpdiI6IlFMS3JyMGVrTFdCVDhzdW0iLCJ2YWx1ZSI6IjRoRUwzVThpd1k1SzJlZngxTy9LQ2FPQk12NjJxdnc9IiwibWFjIjoiIiwidGFnIjoiOFdHS2JlNkRuYVUxRWFKWVU5NWdnUT09In0=	2024-01-02 03:04:05
19	Ada second_factor_lost	second_factor_lost@example.org	2023-07-19 08:30:00	$2y$04$tZMcrhNvqoGvNgQ8qKOZ5ODmz8DYgOMilvUS84xGmtIq9IU/NRcd6	\N	\N	2023-07-19 08:30:00	2023-07-19 08:30:00	\N	cut o	eyJpdiI6IkNZVjA1QnVONlU0b3cvc2s5ZHJ0d1E9PSIsInZhbHVlIjoiRHdZd3dUODRkVjVVdkRjelpRUThhK1Z1ekpxT0I5dEl6ZG04NnFaejYvUT0iLCJtYWMiOiJjYjQ1ODYyYWUzNDZjMzYyMWMxMzE1MWZlZDc2YTFlOTc1Njc1N2U4YzBjNGVkMTQ1YTMxM2UzN2VhY2JhNzE4IiwidGFnIjoiIn0=	2023-01-01 00:00:00
20	Ada md5	md5@example.org	2023-08-20 08:30:00	c26f0cc7c382cfa240f487c5ecd87385	\N	\N	2023-08-20 08:30:00	2023-08-20 08:30:00	\N	\N	\N	\N
21	Ada Capitals	Grace.Capitals@Example.ORG	2023-09-21 08:30:00	$2y$04$tZMcrhNvqoGvNgQ8qKOZ5ODmz8DYgOMilvUS84xGmtIq9IU/NRcd6	\N	\N	2023-09-21 08:30:00	2023-09-21 08:30:00	\N	\N	\N	\N
22	Ada pair_lower	pair@example.org	2023-10-22 08:30:00	$2y$04$tZMcrhNvqoGvNgQ8qKOZ5ODmz8DYgOMilvUS84xGmtIq9IU/NRcd6	\N	\N	2023-10-22 08:30:00	2023-10-22 08:30:00	\N	\N	\N	\N
23	Ada pair_upper	Pair@example.org	2023-11-23 08:30:00	$2y$04$tZMcrhNvqoGvNgQ8qKOZ5ODmz8DYgOMilvUS84xGmtIq9IU/NRcd6	\N	\N	2023-11-23 08:30:00	2023-11-23 08:30:00	\N	\N	\N	\N
24	Ada twin_deleted	twin@example.org	2023-12-24 08:30:00	$2y$04$tZMcrhNvqoGvNgQ8qKOZ5ODmz8DYgOMilvUS84xGmtIq9IU/NRcd6	\N	\N	2023-12-24 08:30:00	2023-12-24 08:30:00	2024-03-01 10:00:00	\N	\N	\N
25	Ada twin_alive	Twin@example.org	2023-01-25 08:30:00	$2y$04$tZMcrhNvqoGvNgQ8qKOZ5ODmz8DYgOMilvUS84xGmtIq9IU/NRcd6	\N	\N	2023-01-25 08:30:00	2023-01-25 08:30:00	\N	\N	\N	\N
26	Ada blank_alone	 blank.alone@example.org	2023-02-26 08:30:00	$2y$04$tZMcrhNvqoGvNgQ8qKOZ5ODmz8DYgOMilvUS84xGmtIq9IU/NRcd6	\N	\N	2023-02-26 08:30:00	2023-02-26 08:30:00	\N	\N	\N	\N
27	Ada blank_beside	beside@example.org 	2023-03-27 08:30:00	$2y$04$tZMcrhNvqoGvNgQ8qKOZ5ODmz8DYgOMilvUS84xGmtIq9IU/NRcd6	\N	\N	2023-03-27 08:30:00	2023-03-27 08:30:00	\N	\N	\N	\N
28	Ada beside	beside@example.org	2023-04-28 08:30:00	$2y$04$tZMcrhNvqoGvNgQ8qKOZ5ODmz8DYgOMilvUS84xGmtIq9IU/NRcd6	\N	\N	2023-04-28 08:30:00	2023-04-28 08:30:00	\N	\N	\N	\N
29	Ada accent_lower	éva@example.org	2023-05-29 08:30:00	$2y$04$tZMcrhNvqoGvNgQ8qKOZ5ODmz8DYgOMilvUS84xGmtIq9IU/NRcd6	\N	\N	2023-05-29 08:30:00	2023-05-29 08:30:00	\N	\N	\N	\N
30	Ada accent_upper	Éva@example.org	2023-06-30 08:30:00	$2y$04$tZMcrhNvqoGvNgQ8qKOZ5ODmz8DYgOMilvUS84xGmtIq9IU/NRcd6	\N	\N	2023-06-30 08:30:00	2023-06-30 08:30:00	\N	\N	\N	\N
\.


--
-- Name: migrations_id_seq; Type: SEQUENCE SET; Schema: public; Owner: -
--

SELECT pg_catalog.setval('public.migrations_id_seq', 2, true);


--
-- Name: personal_access_tokens_id_seq; Type: SEQUENCE SET; Schema: public; Owner: -
--

SELECT pg_catalog.setval('public.personal_access_tokens_id_seq', 1, true);


--
-- Name: roles_id_seq; Type: SEQUENCE SET; Schema: public; Owner: -
--

SELECT pg_catalog.setval('public.roles_id_seq', 1, false);


--
-- Name: social_accounts_id_seq; Type: SEQUENCE SET; Schema: public; Owner: -
--

SELECT pg_catalog.setval('public.social_accounts_id_seq', 2, true);


--
-- Name: users_id_seq; Type: SEQUENCE SET; Schema: public; Owner: -
--

SELECT pg_catalog.setval('public.users_id_seq', 30, true);


--
-- Name: migrations migrations_pkey; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.migrations
    ADD CONSTRAINT migrations_pkey PRIMARY KEY (id);


--
-- Name: model_has_roles model_has_roles_pkey; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.model_has_roles
    ADD CONSTRAINT model_has_roles_pkey PRIMARY KEY (role_id, model_id, model_type);


--
-- Name: personal_access_tokens personal_access_tokens_pkey; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.personal_access_tokens
    ADD CONSTRAINT personal_access_tokens_pkey PRIMARY KEY (id);


--
-- Name: personal_access_tokens personal_access_tokens_token_unique; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.personal_access_tokens
    ADD CONSTRAINT personal_access_tokens_token_unique UNIQUE (token);


--
-- Name: roles roles_name_guard_name_unique; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.roles
    ADD CONSTRAINT roles_name_guard_name_unique UNIQUE (name, guard_name);


--
-- Name: roles roles_pkey; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.roles
    ADD CONSTRAINT roles_pkey PRIMARY KEY (id);


--
-- Name: sessions sessions_pkey; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.sessions
    ADD CONSTRAINT sessions_pkey PRIMARY KEY (id);


--
-- Name: social_accounts social_accounts_pkey; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.social_accounts
    ADD CONSTRAINT social_accounts_pkey PRIMARY KEY (id);


--
-- Name: social_accounts social_accounts_provider_provider_id_unique; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.social_accounts
    ADD CONSTRAINT social_accounts_provider_provider_id_unique UNIQUE (provider, provider_id);


--
-- Name: users users_email_unique; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.users
    ADD CONSTRAINT users_email_unique UNIQUE (email);


--
-- Name: users users_github_id_unique; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.users
    ADD CONSTRAINT users_github_id_unique UNIQUE (github_id);


--
-- Name: users users_pkey; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.users
    ADD CONSTRAINT users_pkey PRIMARY KEY (id);


--
-- Name: password_resets_email_index; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX password_resets_email_index ON public.password_resets USING btree (email);


--
-- Name: sessions_last_activity_index; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX sessions_last_activity_index ON public.sessions USING btree (last_activity);


--
-- Name: sessions_user_id_index; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX sessions_user_id_index ON public.sessions USING btree (user_id);


--
-- Name: model_has_roles model_has_roles_role_id_foreign; Type: FK CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.model_has_roles
    ADD CONSTRAINT model_has_roles_role_id_foreign FOREIGN KEY (role_id) REFERENCES public.roles(id) ON DELETE CASCADE;


--
-- Name: social_accounts social_accounts_user_id_foreign; Type: FK CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.social_accounts
    ADD CONSTRAINT social_accounts_user_id_foreign FOREIGN KEY (user_id) REFERENCES public.users(id) ON DELETE CASCADE;


--
-- PostgreSQL database dump complete
--

\unrestrict ilU4IaBhNrPP5rahleRM6g9WG1fueTGbAMKL64csiQmlbT33GptJN27feEeNpJT

